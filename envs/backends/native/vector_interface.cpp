// The vector env as flat C functions; `envs/vector.py` declares the same.
//
// Callers own all memory and vouch for its size; what the games' bytes hold is free.
#include <cstring>

#include "api.hpp"
#include "candidates.hpp"
#include "encode.hpp"
#include "pool.hpp"
#include "vector.hpp"

namespace pill {

namespace {

constexpr std::int32_t NUM_TOTALS = NUM_EVENTS + 2;
constexpr std::int32_t NOT_WRITTEN = -1;

// Arrays of a batch, row by game and seat.
struct VectorArrays {
    std::uint8_t* due;                 // (games, 2)
    std::int8_t* masks;                // (games, 2, 513)
    std::uint8_t* observations;        // (games, 2, size), of due seats
    std::uint8_t* final_observations;  // (games, 2, size), of games that ended
    std::int32_t* frames;              // (games,)
    std::uint8_t* reasons;             // (games,)
    std::int8_t* winners;              // (games,)
    std::int32_t* events;              // (games, 2, NUM_EVENTS), of the step
    std::int32_t* totals;              // (games, 2, NUM_TOTALS), of games that ended
    std::int32_t* episode_frames;      // (games,), of games that ended
    std::uint8_t* candidates;          // (games, 2, capacity, features), of due seats, or null
    std::int16_t* candidate_poses;     // (games, 2, capacity)
    std::int32_t* candidate_counts;    // (games, 2); `NOT_WRITTEN` until rows are
    std::int64_t candidate_capacity;
    std::int64_t candidates_at_once;   // else `pill_vector_show_candidates` writes them
    Profile* profile;                  // or null; one thread alone may write it
    CompactProgram compact;
};

void show_candidates(VectorGame& game, std::int64_t row, int seat, const VectorArrays& arrays) {
    const Seat shown{game.ram, seat};
    const Player& player = shown.player();
    CandidateInput input;
    std::memcpy(input.field, shown.field(), sizeof input.field);
    input.colours[0] = player.colour_first;
    input.colours[1] = player.colour_second;
    input.next_colours[0] = player.next_first;
    input.next_colours[1] = player.next_second;
    std::uint16_t frames[NUM_POSES];
    plan_poses(read_capsule(shown), frames);
    const std::int64_t first = row * arrays.candidate_capacity;
    arrays.candidate_counts[row] = write_candidates(
        input, frames, static_cast<int>(arrays.candidate_capacity),
        arrays.candidates + first * NUM_FEATURES, arrays.candidate_poses + first);
}

void show_seat(VectorGame& game, std::int64_t index, int seat, const VectorArrays& arrays) {
    const Stopwatch stopwatch(arrays.profile, OBSERVATIONS);
    const std::int64_t row = 2 * index + seat;
    const SeatPlan& plan = game.plans[seat];
    arrays.due[row] = plan.is_due;
    write_mask(plan.is_due != 0 ? plan.legal : PoseSet{}, arrays.masks + row * NUM_PLACEMENTS);
    if (plan.is_due == 0) return;
    encode_compact(game.ram, seat, arrays.compact,
                   arrays.observations + row * arrays.compact.size);
    if (arrays.candidates == nullptr) return;
    arrays.candidate_counts[row] = NOT_WRITTEN;
    if (arrays.candidates_at_once == 0) return;
    const Stopwatch rows_stopwatch(arrays.profile, CANDIDATES, OBSERVATIONS);
    show_candidates(game, row, seat, arrays);
}

void show_end(const VectorGame& game, std::int64_t index, const VectorArrays& arrays) {
    arrays.episode_frames[index] = game.frames;
    for (int seat = 0; seat < NUM_SEATS; ++seat) {
        const std::int64_t row = 2 * index + seat;
        encode_compact(game.ram, seat, arrays.compact,
                       arrays.final_observations + row * arrays.compact.size);
        std::int32_t* totals = arrays.totals + row * NUM_TOTALS;
        std::memcpy(totals, game.totals[seat], sizeof game.totals[seat]);
        totals[NUM_EVENTS] = game.illegal[seat];
        totals[NUM_EVENTS + 1] = game.ignored[seat];
    }
}

bool step_game(VectorGame& game, std::int64_t index, const std::int64_t* actions,
               std::int32_t max_frames, const RoundStart* next, const VectorArrays& arrays) {
    StepResult result;
    step_episode(game, actions + 2 * index, max_frames, result, arrays.profile);
    arrays.frames[index] = result.frames;
    arrays.reasons[index] = result.reason;
    arrays.winners[index] = result.winner;
    std::memcpy(arrays.events + 2 * NUM_EVENTS * index, result.events, sizeof result.events);
    bool started = true;
    if (result.reason != RUNNING) {
        show_end(game, index, arrays);
        started = start_episode(game, next[index], arrays.profile);
    }
    for (int seat = 0; seat < NUM_SEATS; ++seat) show_seat(game, index, seat, arrays);
    return started;
}

}  // namespace
}  // namespace pill

PILL_API std::int64_t pill_vector_game_size() noexcept { return sizeof(pill::VectorGame); }

PILL_API std::int64_t pill_vector_start_size() noexcept { return sizeof(pill::RoundStart); }

// Start an episode in each game; returns how many did not get to control.
PILL_API std::int64_t pill_vector_reset(pill::VectorGame* games, std::int64_t count,
                                        const pill::RoundStart* starts,
                                        const pill::VectorArrays* arrays) noexcept {
    std::int64_t stuck = 0;
    for (std::int64_t index = 0; index < count; ++index) {
        stuck += !pill::start_episode(games[index], starts[index]);
        for (int seat = 0; seat < pill::NUM_SEATS; ++seat) {
            pill::show_seat(games[index], index, seat, *arrays);
        }
    }
    return stuck;
}

// Draw a legal action for every seat: uniforms in 0..1, float64 (games, 2), choose among the poses
// of due seats; the others wait.
PILL_API void pill_vector_draw(const pill::VectorGame* games, std::int64_t count,
                               const double* uniforms, std::int64_t* actions) noexcept {
    for (std::int64_t row = 0; row < pill::NUM_SEATS * count; ++row) {
        const pill::SeatPlan& plan = games[row / pill::NUM_SEATS].plans[row % pill::NUM_SEATS];
        actions[row] = plan.is_due != 0 ? plan.legal.pick(uniforms[row]) : pill::WAIT;
    }
}

// Run each game to its next decision: int64 actions (games, 2). A game that ends starts anew from
// `next`, with what it ended with in the arrays.
PILL_API void pill_vector_step(pill::Pool* pool, pill::VectorGame* games, std::int64_t count,
                               const std::int64_t* actions, std::int32_t max_frames,
                               const pill::RoundStart* next,
                               const pill::VectorArrays* arrays) noexcept {
    pill::run_games(pool, count, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t index = begin; index < end; ++index) {
            pill::step_game(games[index], index, actions, max_frames, next, *arrays);
        }
    });
}

// Write the candidates of some due seats, int64 (count,) of 2 * game + seat, each once; those that
// are written already stay.
PILL_API void pill_vector_show_candidates(pill::Pool* pool, pill::VectorGame* games,
                                          const std::int64_t* rows, std::int64_t count,
                                          const pill::VectorArrays* arrays) noexcept {
    pill::run_games(pool, count, [=](std::int64_t begin, std::int64_t end) {
        for (const std::int64_t* row = rows + begin; row != rows + end; ++row) {
            if (arrays->candidate_counts[*row] != pill::NOT_WRITTEN) continue;
            const auto seat = static_cast<int>(*row % pill::NUM_SEATS);
            pill::show_candidates(games[*row / pill::NUM_SEATS], *row, seat, *arrays);
        }
    });
}
