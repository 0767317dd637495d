// Small player and duels as flat C functions; `envs/backends/native_duel.py` declares the same.
#include <cstdint>
#include <cstring>

#include "api.hpp"
#include "duel.hpp"
#include "pool.hpp"

namespace {

using pill::routine::Candidate;
using pill::routine::MAX_CANDIDATES;
using pill::routine::NUM_FEATURES;
using pill::routine::PAGE_SIZE;
using pill::routine::Position;

struct DuelArrays {
    const std::uint8_t* pads;       // (games, 2, longest script), of choices from outside, or null
    const std::int32_t* num_pads;   // (games, 2)
    std::uint8_t* waiting;          // (games, 2): seats that wait for a choice
    std::uint8_t* reasons;          // (games,), 0 while a game goes on
    std::int8_t* winners;           // (games,)
    std::int32_t* frames;           // (games,), of the episode
    std::int32_t* totals;           // (games, 2, events)
};

void play_on(pill::VectorGame& game, std::int64_t index, pill::DuelSeat* seats,
             const pill::DuelPlayers& players, const DuelArrays& arrays) {
    constexpr std::int32_t none[] = {0, 0};
    static const std::uint8_t silence[pill::NUM_SEATS * pill::MAX_SCRIPT_FRAMES] = {};
    const bool has_pads = arrays.pads != nullptr;
    pill::StepResult result;
    pill::play_duel(
        game, seats,
        has_pads ? arrays.pads + index * pill::NUM_SEATS * pill::MAX_SCRIPT_FRAMES : silence,
        has_pads ? arrays.num_pads + index * pill::NUM_SEATS : none, players, result);
    arrays.reasons[index] = result.reason;
    arrays.winners[index] = result.winner;
    arrays.frames[index] = game.frames;
    for (int seat = 0; seat < pill::NUM_SEATS; ++seat) {
        const bool running = result.reason == pill::RUNNING;
        arrays.waiting[pill::NUM_SEATS * index + seat] = running && pill::waits(game, seats, seat);
    }
    std::memcpy(arrays.totals + index * pill::NUM_SEATS * pill::NUM_EVENTS, game.totals,
                sizeof game.totals);
}

}  // namespace

PILL_API std::int32_t pill_routine_features() noexcept { return NUM_FEATURES; }

// Candidates of positions: uint8 rotation, column, row and features (positions, 30, 12), int32
// counts (positions,).
PILL_API void pill_routine_candidates(pill::Pool* pool, const Position* positions,
                                      std::int64_t count, Candidate* candidates,
                                      std::int32_t* counts) noexcept {
    pill::run_games(pool, count, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t index = begin; index < end; ++index) {
            counts[index] = pill::routine::list_candidates(
                positions[index], candidates + index * MAX_CANDIDATES);
        }
    });
}

// The decision of a tree: indices into the candidates, int32 (positions,), -1 for none.
PILL_API void pill_routine_decide(pill::Pool* pool, const Position* positions, std::int64_t count,
                                  const std::uint8_t* page, std::int32_t* choices) noexcept {
    pill::run_games(pool, count, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t index = begin; index < end; ++index) {
            Candidate candidates[MAX_CANDIDATES];
            const int found = pill::routine::list_candidates(positions[index], candidates);
            choices[index] = pill::routine::choose_candidate(candidates, found, page);
        }
    });
}

// Values of feature rows: uint8 (rows, features) in, uint8 (rows,) out.
PILL_API void pill_routine_walk(const std::uint8_t* rows, std::int64_t count,
                                const std::uint8_t* page, std::uint8_t* values) noexcept {
    for (std::int64_t index = 0; index < count; ++index) {
        values[index] = static_cast<std::uint8_t>(
            pill::routine::walk_tree(page, rows + index * NUM_FEATURES));
    }
}

// What the small player of a seat looks at, of each of some RAM images.
PILL_API void pill_routine_read(const std::uint8_t* images, std::int64_t count, std::int32_t seat,
                                Position* positions) noexcept {
    for (std::int64_t index = 0; index < count; ++index) {
        // A seat only reads here, though it could write.
        auto* image = const_cast<std::uint8_t*>(images + index * pill::layout::RAM_SIZE);
        positions[index] = pill::read_routine_position(pill::Seat{image, seat});
    }
}

PILL_API std::int64_t pill_duel_seat_size() noexcept { return sizeof(pill::DuelSeat); }

// Put each game at its first choice; returns how many did not get to control.
PILL_API std::int64_t pill_duel_start(pill::VectorGame* games, std::int64_t count,
                                      const pill::RoundStart* starts) noexcept {
    std::int64_t stuck = 0;
    for (std::int64_t index = 0; index < count; ++index) {
        stuck += !pill::start_episode(games[index], starts[index]);
    }
    return stuck;
}

// Play each game on until a seat waits for a choice from outside, or to its end. Games whose
// reason is not 0 are left alone.
PILL_API void pill_duel_play(pill::Pool* pool, pill::VectorGame* games, std::int64_t count,
                             pill::DuelSeat* seats, const pill::DuelPlayers* players,
                             const DuelArrays* arrays) noexcept {
    pill::run_games(pool, count, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t index = begin; index < end; ++index) {
            if (arrays->reasons[index] != pill::RUNNING) continue;
            play_on(games[index], index, seats + pill::NUM_SEATS * index, *players, *arrays);
        }
    });
}

// Play each solo round with each tree, capsule by capsule; outcomes are by tree, then start.
// Returns how many starts did not get to control.
PILL_API std::int64_t pill_play_capsules(pill::Pool* pool, const pill::RoundStart* starts,
                                         std::int64_t num_starts, const std::uint8_t* pages,
                                         std::int64_t num_pages, std::int32_t max_capsules,
                                         std::uint8_t* images,
                                         pill::SoloOutcome* outcomes) noexcept {
    using pill::layout::RAM_SIZE;
    std::int64_t stuck = 0;
    for (std::int64_t index = 0; index < num_starts; ++index) {
        static thread_local pill::VectorGame game;
        stuck += !pill::start_episode(game, starts[index]);
        std::memcpy(images + index * RAM_SIZE, game.ram, RAM_SIZE);
    }
    pill::run_games(pool, num_starts * num_pages, [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t index = begin; index < end; ++index) {
            std::uint8_t ram[RAM_SIZE];
            std::memcpy(ram, images + index % num_starts * RAM_SIZE, RAM_SIZE);
            outcomes[index] = pill::play_capsules(
                ram, pages + index / num_starts * PAGE_SIZE, max_capsules);
        }
    });
    return stuck;
}
