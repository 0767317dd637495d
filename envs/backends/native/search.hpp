// One and two capsules of look-ahead over all placements that a seat can really play.
//
// Both plies have the planner's exact reach. Between them the rules themselves run from the lock to
// the next capsule's first frame of control, so falling, clearing, queued garbage, the speed-up and
// the parity of that frame are those of the game. The preview is all that is known of what comes.
#pragma once

#include <cstdint>

#include "candidates.hpp"
#include "game.hpp"

namespace pill {

// What a player can see and a search uses, with the bytes as they lie in RAM.
struct SearchPosition {
    std::uint8_t field[layout::CELLS];
    std::uint8_t colours[2];
    std::uint8_t next_colours[2];
    std::uint8_t x;
    std::uint8_t y;
    std::uint8_t rotation;
    std::uint8_t gravity_counter;
    std::uint8_t das_counter;
    std::uint8_t speed;
    std::uint8_t speed_ups;
    std::uint8_t capsules_low;  // BCD
    std::uint8_t viruses;       // BCD
    std::uint8_t held;
    std::uint8_t frame_counter;
    std::uint8_t opponent_capsules[2];  // BCD, low byte first; a solo round's opponent stays at 1
    std::uint8_t incoming;          // garbage that the opponent has queued, and its colours
    std::uint8_t attack_colours[4];
};

// A linear score. What a capsule does adds up over the plies; the bottle counts at the end alone.
struct SearchWeights {
    float capsule[NUM_FEATURES];
    float bottle[NUM_FEATURES];
    float garbage_sent;  // per piece, against an opponent
};

struct SearchConfig {
    std::int32_t depth;  // 1 or 2 capsules
    std::int32_t width;  // first placements that are looked into, the best by one ply; depth 2
};

constexpr int NO_POSE = -1;
constexpr float TOP_OUT_VALUE = -1e6f;
// Twice this for a clear by the falling capsule, once for one by the next.
constexpr float CLEAR_VALUE = 1e5f;

// Find the best pose, NO_POSE where the capsule has none. `values`, if not null, takes the value of
// each pose, NUM_POSES of them; those that were not looked into keep what they held.
int search(const SearchPosition& position, const SearchWeights& weights,
           const SearchConfig& config, float* values);

}  // namespace pill
