// The search as flat C functions; `envs/backends/native_search.py` declares the same.
#include "api.hpp"
#include "pool.hpp"
#include "search.hpp"

PILL_API std::int64_t pill_search_position_size() noexcept {
    return sizeof(pill::SearchPosition);
}

// The best pose of each position: int16 (count,), -1 where there is none. `values`, if not null, is
// float (count, 512), filled by the caller; see `search.hpp`.
PILL_API void pill_search(pill::Pool* pool, const pill::SearchPosition* positions,
                          std::int64_t count, const pill::SearchWeights* weights,
                          std::int32_t depth, std::int32_t width, std::int16_t* poses,
                          float* values) noexcept {
    const pill::SearchConfig config{depth, width};
    pill::run_games(pool, count, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t index = begin; index < end; ++index) {
            float* own = values != nullptr ? values + index * pill::NUM_POSES : nullptr;
            poses[index] = static_cast<std::int16_t>(
                pill::search(positions[index], *weights, config, own));
        }
    });
}
