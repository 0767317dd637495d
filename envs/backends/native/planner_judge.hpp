// The slow truth about where a capsule can lock, for judging the planner. It shares nothing with it
// but the capsule: everything here steps the simulator.
#pragma once

#include <cstdint>

#include "planner.hpp"

namespace pill {

// As `plan_poses`, by a breadth-first walk with every pad byte without opposite directions. Takes
// milliseconds at high speeds and seconds at low ones, and 8 MB of memory.
void walk_poses(const FallingCapsule& capsule, std::uint16_t* frames);

struct Lock {
    int pose = -1;  // -1: it did not lock
    int frame = 0;  // of the script, from 1
};

// Play a script until the capsule locks or the script ends.
Lock play_script(const FallingCapsule& capsule, const std::uint8_t* pads, int frames);

}  // namespace pill
