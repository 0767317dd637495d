// A row of features for every pose that a capsule can take: what a placement is judged by.
#pragma once

#include <cstdint>

#include "planner.hpp"

namespace pill {

enum Feature {
#define FEATURE(name, high) F_##name,
#include "features.def"
#undef FEATURE
    NUM_FEATURES
};

// Capsules that are to be judged, and how.
struct CandidateInput {
    std::uint8_t field[layout::CELLS];  // tile bytes
    std::uint8_t colours[2];            // first and second half
    std::uint8_t next_colours[2];
};

// Write a row for each pose with frames and room, in order of poses: NUM_FEATURES bytes in `rows`
// and the pose in `poses`, at most `capacity`. A capsule of one colour has rotations 0 and 1 alone,
// with the fewer frames of both ways to lie. Returns the number of rows.
int write_candidates(const CandidateInput& input, const std::uint16_t* frames, int capacity,
                     std::uint8_t* rows, std::int16_t* poses);

}  // namespace pill
