// The cartridge's small player: what its movement routine can reach, the features of each
// candidate, the tree that scores them, and the pads of the routine.
//
// `docs/distillation.md` defines all of it; numpy (`policies/distill/`) and the cartridge's 6502
// code agree with this file in every bit.
#pragma once

#include <cstdint>

#include "layout.hpp"

namespace pill::routine {

constexpr int THINK_FRAMES = 2;
constexpr int TAP_FRAMES = 2;
constexpr int NUM_FEATURES = 9;
constexpr int PAGE_SIZE = 190;
constexpr int LEAF_BASE = 16 * NUM_FEATURES;
// Seven columns for a flat capsule, eight for an upright one, each two ways round.
constexpr int MAX_CANDIDATES = 30;

enum Feature {
    RUN_MAX, RUN_MIN, COVERS_VIRUS, COVERS_TILE, DEPTH, UPRIGHT, BLOCKED, MATCHED, BETWEEN
};

// What the player looks at, once for every capsule.
struct Position {
    std::uint8_t field[layout::CELLS];
    std::uint8_t colours[2];
    std::uint8_t frames_per_row;  // of free fall, 1 or more
};

struct Candidate {
    std::uint8_t rotation;
    std::uint8_t column;
    std::uint8_t row;  // of the pivot at rest, 0 on top
    std::uint8_t features[NUM_FEATURES];
};

// List the candidates in their order; returns how many. `candidates` holds MAX_CANDIDATES.
int list_candidates(const Position& position, Candidate* candidates);

// The score of a candidate, 73..162 in a page that holds a tree.
int walk_tree(const std::uint8_t* page, const std::uint8_t* features);

// Index of the best candidate, the first of equals; -1 if there is none.
int choose_candidate(const Candidate* candidates, int count, const std::uint8_t* page);

// Row of the highest tile, 16 where there is none.
int find_floor(const std::uint8_t* field);

// A capsule under way, just before a frame.
struct Fall {
    int n;              // number of the frame of control, 1 the first
    int frame_counter;  // what $43 will be in it
    int row;            // of the pivot, 0 on top
    int rotation;
    int x;
    int floor;
};

// The pad of that frame, on the way to a rotation and a column.
std::uint8_t choose_pad(const Fall& fall, int rotation, int column);

}  // namespace pill::routine
