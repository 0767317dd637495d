// The rating anchor's choice, as `policies/greedy.py` makes it and to the last bit of its scores:
// the best straight drop by hand-set weights, and the taps that bring the capsule there.
#pragma once

#include <cstdint>

#include "planner.hpp"

namespace pill {

// The fields of `policies.scoring.ScoreWeights`, in order.
struct GreedyWeights {
    double virus, extra_line, last_virus, blocked_spawn, spawn_height, safe_height;
    double colour_change, buried_virus, covered_gap;
    double top_run[3], top_virus_run[3], row_window[2], row_virus_window[2];
};
constexpr int NUM_GREEDY_WEIGHTS = sizeof(GreedyWeights) / sizeof(double);

// The pose, `pose_index`, of the best straight drop. `first` and `second`: the capsule's colours.
int choose_drop(const FallingCapsule& capsule, std::uint8_t first, std::uint8_t second,
                const GreedyWeights& weights);

// Write the pads that steer a capsule to `pose` by taps and a soft drop, up to its lock; returns
// their number, at most MAX_SCRIPT_FRAMES.
int steer_capsule(const FallingCapsule& capsule, int pose, std::uint8_t* pads);

// The same by the cartridge's movement routine, from the first frame of control on.
int route_capsule(const FallingCapsule& capsule, int pose, std::uint8_t* pads);

}  // namespace pill
