// The simulator as flat C functions; `envs/backends/native_library.py` declares the same.
//
// RAM images lie one after the other, 2048 bytes each. Callers own all memory and vouch for its
// size; what the bytes hold is free. Nothing here allocates but `pill_pool_open`.
#include <cstdint>
#include <cstring>
#include <exception>

#include "api.hpp"
#include "game.hpp"
#include "pool.hpp"

using pill::layout::RAM_SIZE;

namespace {

// Change this, and `ABI_VERSION` in native_library.py, whenever a function or a rule changes.
constexpr int ABI_VERSION = 2;

std::uint8_t* image(std::uint8_t* images, std::int64_t index) { return images + index * RAM_SIZE; }

}  // namespace

PILL_API std::int32_t pill_abi_version() noexcept { return ABI_VERSION; }

// Threads for the calls below, the caller's own included; null where they cannot be had.
PILL_API pill::Pool* pill_pool_open(std::int32_t threads) noexcept {
    try {
        return new pill::Pool(threads);
    } catch (const std::exception&) {
        return nullptr;
    }
}

PILL_API void pill_pool_close(pill::Pool* pool) noexcept { delete pool; }

// Put each game at the entry to a round: uint16 words, uint8 counters, uint8 levels and speeds
// of both seats, uint8 solo flags.
PILL_API void pill_enter_setup(std::uint8_t* images, std::int64_t games,
                               const std::uint16_t* rng_words, const std::uint8_t* frame_counters,
                               const std::uint8_t* levels, const std::uint8_t* speeds,
                               const std::uint8_t* solo) noexcept {
    for (std::int64_t game = 0; game < games; ++game) {
        pill::enter_setup(image(images, game), rng_words[game], frame_counters[game],
                          levels + 2 * game, speeds + 2 * game, solo[game] != 0);
    }
}

// Run each game with no buttons until every active seat can act; returns how many games did not
// get there within `max_frames`.
PILL_API std::int64_t pill_run_to_control(std::uint8_t* images, std::int64_t games,
                                          std::int32_t max_frames) noexcept {
    std::int64_t stuck = 0;
    for (std::int64_t game = 0; game < games; ++game) {
        std::uint8_t* ram = image(images, game);
        std::int32_t left = max_frames;
        while (!pill::can_all_act(ram) && left-- > 0) pill::step_frame(ram, 0, 0);
        stuck += !pill::can_all_act(ram);
    }
    return stuck;
}

// Hold the pads of each game (two bytes) for `frames` frames.
PILL_API void pill_hold(pill::Pool* pool, std::uint8_t* images, std::int64_t games,
                        const std::uint8_t* pads, std::int32_t frames) noexcept {
    pill::run_games(pool, games, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t game = begin; game < end; ++game) {
            std::uint8_t* ram = image(images, game);
            const std::uint8_t pad1 = pads[2 * game], pad2 = pads[2 * game + 1];
            for (std::int32_t frame = 0; frame < frames; ++frame) {
                pill::step_frame(ram, pad1, pad2);
            }
        }
    });
}

// Play a script of `frames` pad pairs for each game.
PILL_API void pill_play(pill::Pool* pool, std::uint8_t* images, std::int64_t games,
                        const std::uint8_t* pads, std::int32_t frames) noexcept {
    pill::run_games(pool, games, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t game = begin; game < end; ++game) {
            std::uint8_t* ram = image(images, game);
            const std::uint8_t* script = pads + 2 * game * frames;
            for (std::int32_t frame = 0; frame < frames; ++frame, script += 2) {
                pill::step_frame(ram, script[0], script[1]);
            }
        }
    });
}

// Play a script of one game and write its image after every frame.
PILL_API void pill_trace(std::uint8_t* ram, const std::uint8_t* pads, std::int32_t frames,
                         std::uint8_t* trace) noexcept {
    for (std::int32_t frame = 0; frame < frames; ++frame) {
        pill::step_frame(ram, pads[2 * frame], pads[2 * frame + 1]);
        std::memcpy(image(trace, frame), ram, RAM_SIZE);
    }
}
