// The states of a capsule whose LEFT or RIGHT was down before the first frame and still is.
//
// Only such a run reaches auto-repeat early enough to matter: after a release, tapping is faster.
#pragma once

#include "reach_sets.hpp"

namespace pill::reach {

constexpr int CHARGED = 16;
constexpr int RELOADED = 10;
constexpr int BLOCKED = 15;

// Frames for which such a run is followed; later repeats find what taps have found before.
constexpr int MAX_HELD_FRAMES = 64;

class HeldRun {
public:
    // Leaves the poses of counters that have none as they are: most are never looked at.
    HeldRun() {}
    // With `side` NEITHER all that it can do is to let go.
    HeldRun(Side side, int das_counter, int turn, Bits pose)
        : side_(side), active_(1u << das_counter) {
        for (int other = 0; other < NUM_TURNS; ++other) poses_[das_counter][other] = 0;
        poses_[das_counter][turn] = pose;
    }

    Side side() const { return side_; }
    Bits poses(int counter, int turn) const {
        return (active_ >> counter & 1) != 0 ? poses_[counter][turn] : 0;
    }

    Bits poses(int turn) const {
        Bits all = 0;
        for (int counter = 0; active_ >> counter != 0; ++counter) all |= poses(counter, turn);
        return all;
    }

    Bits poses() const { return poses(0) | poses(1) | poses(2) | poses(3); }

    HeldRun within(Bits free) const {
        HeldRun rest = *this;
        for (int counter = 0; counter < CHARGED; ++counter) {
            if ((active_ >> counter & 1) == 0) continue;
            for (int turn = 0; turn < NUM_TURNS; ++turn) rest.poses_[counter][turn] &= free;
        }
        return rest;
    }

    // The states that let go in the frame: pads with neither side or with the other one.
    States release(const RowMasks& row) const {
        Words shifted[NUM_TURNS];
        for (int turn = 0; turn < NUM_TURNS; ++turn) {
            const Bits all = poses(turn);
            const Bits left = side_ == RIGHT ? all : 0, right = side_ == LEFT ? all : 0;
            shifted[turn] = shift(Words{all, left, right, left}, row);
        }
        return reach::turn(shifted, row);
    }

    // The states that hold on for the frame.
    HeldRun advance(const RowMasks& row) const {
        HeldRun next;
        next.side_ = side_;
        if (side_ == NEITHER) return next;
        for (int counter = 0; counter < CHARGED; ++counter) {
            if ((active_ >> counter & 1) == 0) continue;
            const Bits(&poses)[NUM_TURNS] = poses_[counter];
            if (counter + 1 < CHARGED) {
                next.add(counter + 1, poses, ~0u, false, row);
                continue;
            }
            const Bits walls = side_ == LEFT ? 0x01010101 : 0x80408040;
            const Bits room = side_ == LEFT ? word_of(row.left, LEFT) : word_of(row.right, RIGHT);
            next.add(RELOADED, poses, room, true, row);
            next.add(RELOADED, poses, walls, false, row);
            next.add(BLOCKED, poses, ~(room | walls), false, row);
        }
        return next;
    }

private:
    // Add those of `poses` that lie in `chosen`, moved to the side if `moves`, and their turns.
    void add(int counter, const Bits (&poses)[NUM_TURNS], Bits chosen, bool moves,
             const RowMasks& row) {
        Words shifted[NUM_TURNS];
        for (int turn = 0; turn < NUM_TURNS; ++turn) {
            const Bits bits = poses[turn] & chosen;
            shifted[turn] = side_ == LEFT ? Words{0, moves ? bits >> 1 : bits, 0, 0}
                                          : Words{0, 0, moves ? bits << 1 : bits, 0};
        }
        const States turned = reach::turn(shifted, row);
        if ((active_ >> counter & 1) == 0) {
            for (Bits& known : poses_[counter]) known = 0;
        }
        Bits all = 0;
        for (int turn = 0; turn < NUM_TURNS; ++turn) {
            all |= poses_[counter][turn] |= word_of(turned.by_turn[turn], side_);
        }
        if (all != 0) active_ |= 1u << counter;
    }

    Side side_ = NEITHER;
    std::uint32_t active_ = 0;  // bit per counter that has poses
    Bits poses_[CHARGED][NUM_TURNS];
};

}  // namespace pill::reach
