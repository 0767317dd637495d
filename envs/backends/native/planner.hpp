// Where a falling capsule can come to rest, in how few frames, and by which buttons.
//
// Exact under the rules of a frame: gravity counter, soft drop on odd frames, taps that need a
// released button, both turns in one frame, kicks, double left, sides held from before. The one
// thing left out is a side that stays down after it has moved the capsule: tapping moves earlier
// than auto-repeat.
#pragma once

#include <cstdint>

#include "game.hpp"
#include "layout.hpp"

namespace pill {

constexpr int NUM_ROTATIONS = 4;
constexpr int NUM_POSES = NUM_ROTATIONS * layout::CELLS;
// A pose is rotation * 128 + row * 8 + column of the pivot, row 0 on top.
constexpr int pose_index(int rotation, int row, int column) {
    return rotation * layout::CELLS + row * layout::COLUMNS + column;
}

// A falling capsule before the frame in which its pad is read next.
struct FallingCapsule {
    std::uint8_t field[layout::CELLS];  // tile bytes
    std::uint8_t x;                     // left column
    std::uint8_t y;                     // bottom cell, counted from the bottom
    std::uint8_t rotation;
    std::uint8_t gravity_counter;
    std::uint8_t gravity_index;  // 0..80
    std::uint8_t das_counter;
    std::uint8_t held;           // pad byte of the frame before
    std::uint8_t frame_counter;  // `$43` of the frame before
};

// Longest time to a lock: every row at the slowest speed.
constexpr int MAX_SCRIPT_FRAMES = layout::ROWS * (layout::GRAVITY_TABLE[0] + 2);

// Is the capsule within the walls, at a rotation and speed that exist?
bool lies_inside(const FallingCapsule& capsule);

// The falling capsule of a seat, whatever its bytes.
FallingCapsule read_capsule(const Seat& seat);

// Find every pose in which the capsule can lock: frames until the lock by pose, 0 for never. There
// is none for a capsule that overlaps something or lies outside the bottle.
void plan_poses(const FallingCapsule& capsule, std::uint16_t* frames);

// The same without the frames, in little more than half the time.
struct PoseSet {
    std::uint32_t rows[layout::ROWS] = {};  // bit = rotation * 8 + column

    bool has(int pose) const {
        const int row = pose % layout::CELLS / layout::COLUMNS;
        const int bit = pose / layout::CELLS * layout::COLUMNS + pose % layout::COLUMNS;
        return (rows[row] >> bit & 1) != 0;
    }
    int count() const {
        int count = 0;
        for (const std::uint32_t row : rows) count += __builtin_popcount(row);
        return count;
    }
    bool is_empty() const { return count() == 0; }
    // One of the poses, all alike for a uniform number in 0..1; NUM_POSES if there is none.
    int pick(double uniform) const;
    // Rotations 2 and 3 as 0 and 1, which they look like if both halves have one colour.
    PoseSet folded() const {
        PoseSet all;
        for (int row = 0; row < layout::ROWS; ++row) {
            all.rows[row] = (rows[row] | rows[row] >> 16) & 0xFFFF;
        }
        return all;
    }
};
PoseSet find_poses(const FallingCapsule& capsule);

// Write the pads of a shortest way to `pose`; returns their number, 0 where there is none. `pads`
// holds MAX_SCRIPT_FRAMES. `one_colour`: the pose turned by half a circle will do as well.
int plan_script(const FallingCapsule& capsule, int pose, bool one_colour, std::uint8_t* pads);

}  // namespace pill
