// The planner as flat C functions; `envs/backends/planner.py` declares the same.
//
// Capsules are records of 136 bytes, `FallingCapsule`; what their bytes hold is free. Callers own
// all memory and vouch for its size.
#include <cstdint>

#include "api.hpp"
#include "encode.hpp"
#include "planner.hpp"
#include "pool.hpp"
#include "planner_judge.hpp"

static_assert(sizeof(pill::FallingCapsule) == pill::layout::CELLS + 8);

// Frames until the lock by pose, 0 for never: uint16 (capsules, 512).
PILL_API void pill_plan_poses(pill::Pool* pool, const pill::FallingCapsule* capsules,
                              std::int64_t count, std::uint16_t* frames) noexcept {
    pill::run_games(pool, count, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t index = begin; index < end; ++index) {
            pill::plan_poses(capsules[index], frames + index * pill::NUM_POSES);
        }
    });
}

// Action masks: uint8 flags of one colour in, int8 (capsules, 513) out.
PILL_API void pill_plan_masks(pill::Pool* pool, const pill::FallingCapsule* capsules,
                              std::int64_t count, const std::uint8_t* one_colour,
                              std::int8_t* masks) noexcept {
    pill::run_games(pool, count, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t index = begin; index < end; ++index) {
            const pill::PoseSet poses = pill::find_poses(capsules[index]);
            pill::write_mask(one_colour[index] != 0 ? poses.folded() : poses,
                             masks + index * (pill::NUM_POSES + 1));
        }
    });
}

// One script: returns its frames, 0 where there is none; `pads` holds as many as
// `pill_longest_script` says.
PILL_API std::int32_t pill_plan_script(const pill::FallingCapsule* capsule, std::int32_t pose,
                                       std::int32_t one_colour, std::uint8_t* pads) noexcept {
    return pill::plan_script(*capsule, pose, one_colour != 0, pads);
}

PILL_API std::int32_t pill_longest_script() noexcept { return pill::MAX_SCRIPT_FRAMES; }

// As `pill_plan_poses`, by the judge's slow walk over every pad; returns whether it had the memory.
PILL_API std::int32_t pill_walk_poses(const pill::FallingCapsule* capsules, std::int64_t count,
                                      std::uint16_t* frames) noexcept {
    try {
        for (std::int64_t index = 0; index < count; ++index) {
            pill::walk_poses(capsules[index], frames + index * pill::NUM_POSES);
        }
        return 1;
    } catch (...) {
        return 0;
    }
}

// Play a script; returns the pose of the lock, or -1, and writes its frame.
PILL_API std::int32_t pill_play_script(const pill::FallingCapsule* capsule,
                                       const std::uint8_t* pads, std::int32_t frames,
                                       std::int32_t* lock_frame) noexcept {
    const pill::Lock lock = pill::play_script(*capsule, pads, frames);
    *lock_frame = lock.frame;
    return lock.pose;
}
