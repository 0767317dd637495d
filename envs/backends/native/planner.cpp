// Where a capsule can lock, and when.
#include "planner.hpp"

#include <cstring>

#include "reach_search.hpp"

namespace pill {
namespace reach {
namespace {

using namespace layout;

Bits on_flat(Bits columns) { return columns * 0x00010001u; }
Bits on_upright(Bits columns) { return columns * 0x01000100u; }

// Bit per column: is the cell empty?
Bits empty_columns(const std::uint8_t* row) {
    std::uint64_t tiles;
    std::memcpy(&tiles, row, sizeof tiles);
    tiles &= tiles >> 4 & 0x0F0F0F0F0F0F0F0Full;
    tiles &= tiles >> 2;
    tiles &= tiles >> 1;
    return static_cast<Bits>((tiles & 0x0101010101010101ull) * 0x0102040810204080ull >> 56);
}

RowMasks make_masks(Bits empty, Bits empty_above) {
    const Bits flat = empty & empty >> 1, upright = empty & empty_above;
    const Bits beside = flat << 1 & 0xFF;  // a flat capsule has room one column to the left
    const Bits free = on_flat(flat) | on_upright(upright);
    const Bits left = free << 1 & 0xFEFEFEFE, right = free >> 1 & 0x7F7F7F7F;
    const Bits wall = 0x01010101, stuck = ~(left | wall);
    const Bits stand = on_flat(upright);
    const Bits in_place = stand | on_upright(flat), kicked = on_upright(beside & ~flat);
    const Bits single = stand | on_upright(flat & ~beside), moved = on_upright(beside);
    RowMasks row;
    row.left = Words{0, left, 0, 0};
    row.right = Words{0, 0, right, 0};
    row.stay = Words{~0u, wall, ~right, stuck};
    row.lie = Words{in_place, single, in_place, single};
    row.lie_left = Words{kicked, moved, kicked, moved};
    row.free = free;
    return row;
}

}  // namespace

Field::Field(const std::uint8_t* tiles) {
    Bits above = 0xFF;
    for (int row = 0; row < ROWS; ++row) {
        const Bits empty = empty_columns(tiles + row * COLUMNS);
        rows[row] = make_masks(empty, above);
        above = empty;
    }
    rows[ROWS] = RowMasks{};
}

}  // namespace reach

namespace {

// Keeps the first time of every lock.
struct FrameTable {
    std::uint16_t* frames;

    void begin_cohort(int, int, int) {}
    void frame(const reach::States&, const reach::HeldRun*) {}
    void lock(int row, reach::Bits poses, int time) {
        for (; poses != 0; poses &= poses - 1) {
            const int pose = __builtin_ctz(poses);
            std::uint16_t& known = frames[pose_index(pose >> 3, row, pose & 7)];
            if (known == 0 || time < known) known = static_cast<std::uint16_t>(time);
        }
    }
};

// Keeps that there is a lock.
struct PoseTable {
    PoseSet poses;

    void begin_cohort(int, int, int) {}
    void frame(const reach::States&, const reach::HeldRun*) {}
    void lock(int row, reach::Bits locked, int) { poses.rows[row] |= locked; }
};

}  // namespace

int PoseSet::pick(double uniform) const {
    const int all = count();
    if (all == 0) return NUM_POSES;
    int left = std::min(static_cast<int>(uniform * all), all - 1);
    for (int row = 0; row < layout::ROWS; ++row) {
        const int here = __builtin_popcount(rows[row]);
        if (left >= here) {
            left -= here;
            continue;
        }
        std::uint32_t bits = rows[row];
        for (; left > 0; --left) bits &= bits - 1;
        const int pose = __builtin_ctz(bits);
        return pose_index(pose >> 3, row, pose & 7);
    }
    return NUM_POSES;
}

bool lies_inside(const FallingCapsule& capsule) {
    return capsule.x < layout::COLUMNS && capsule.y < layout::ROWS &&
           capsule.rotation < NUM_ROTATIONS &&
           capsule.gravity_index < layout::NUM_GRAVITY_INDICES;
}

FallingCapsule read_capsule(const Seat& seat) {
    using namespace layout;
    constexpr int bases[] = {SPEED_BASE_LOW, SPEED_BASE_MED, SPEED_BASE_HI, SPEED_BASE_HI};
    const Player& player = seat.player();
    const int index = (bases[player.speed & 3] + player.speed_ups) & 0xFF;
    FallingCapsule capsule;
    std::memcpy(capsule.field, seat.field(), CELLS);
    capsule.x = player.x;
    capsule.y = player.y;
    capsule.rotation = player.rotation;
    capsule.gravity_counter = player.gravity_counter;
    capsule.gravity_index = static_cast<std::uint8_t>(std::min(index, NUM_GRAVITY_INDICES - 1));
    capsule.das_counter = player.das_counter;
    capsule.held = seat.ram[PAD1_HELD + seat.index];
    capsule.frame_counter = seat.ram[FRAME_COUNTER];
    return capsule;
}

void plan_poses(const FallingCapsule& capsule, std::uint16_t* frames) {
    std::memset(frames, 0, NUM_POSES * sizeof *frames);
    if (!lies_inside(capsule)) return;
    FrameTable table{frames};
    reach::Search<FrameTable>(capsule, table).run();
}

PoseSet find_poses(const FallingCapsule& capsule) {
    PoseTable table;
    if (lies_inside(capsule)) reach::Search<PoseTable>(capsule, table).run();
    return table.poses;
}

}  // namespace pill
