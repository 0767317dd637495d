// One game of the vector env: plans, frames, what each frame earned, and the end.
#include "vector.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pill {
namespace {

using namespace layout;

// Longest way from set-up to control: every attempt to place a virus, then the wait.
constexpr int START_FRAME_CAP = 1800;
constexpr int MIN_ATTACK = 2;

std::uint8_t encode_bcd(int value) {
    return static_cast<std::uint8_t>(value / 10 << 4 | value % 10);
}

int decode_bcd(std::uint8_t value) { return (value >> 4) * 10 + (value & 15); }

bool is_active(const VectorGame& game, int seat) { return seat == 0 || game.ram[SOLO] == 0; }

Seat seat_of(VectorGame& game, int seat) { return Seat{game.ram, seat}; }

// Rows from the floor to the highest tile.
int measure_height(const std::uint8_t* field) {
    int row = 0;
    for (; row < ROWS; ++row) {
        std::uint64_t tiles;
        std::memcpy(&tiles, field + row * COLUMNS, sizeof tiles);
        if (~tiles != 0) break;
    }
    return ROWS - row;
}

bool is_virus(std::uint8_t tile) { return (tile & 0xF0) == TILE_VIRUS; }

// Take viruses away until `keep` are left, in an order that depends on the seed alone: equal
// bottles stay equal.
void thin_viruses(std::uint8_t* field, int keep, std::uint32_t seed) {
    std::uint8_t order[CELLS];
    for (int cell = 0; cell < CELLS; ++cell) order[cell] = static_cast<std::uint8_t>(cell);
    std::uint32_t word = seed * 2654435761u + 1;
    for (int left = CELLS; left > 1; --left) {
        word = word * 1664525u + 1013904223u;
        std::swap(order[left - 1], order[(word >> 8) % left]);
    }
    for (const std::uint8_t cell : order) {
        if (!is_virus(field[cell])) continue;
        if (keep > 0) {
            --keep;
        } else {
            field[cell] = TILE_EMPTY;
        }
    }
}

// Change a seat's bottle, which no capsule has touched yet, as the start asks for.
void change_bottle(const Seat& seat, const RoundStart& start) {
    const int keep = start.viruses[seat.index];
    if (keep == 0 && start.has_bottles == 0) return;
    std::uint8_t* field = seat.field();
    if (start.has_bottles != 0) std::memcpy(field, start.bottles[seat.index], CELLS);
    if (keep != 0) thin_viruses(field, keep, start.thin_seed);
    seat.player().viruses = encode_bcd(static_cast<int>(std::count_if(field, field + CELLS, is_virus)));
}

// The bytes of a player that tell what a frame earned.
struct Watched {
    std::uint8_t viruses, combo, next_action;
};

Watched watch(const Player& player) {
    return {player.viruses, player.combo, player.next_action};
}

void count_frame(const Watched& before, const Player& after, std::int32_t* events) {
    if (before.next_action == ACTION_FALLING && after.next_action != ACTION_FALLING) {
        ++events[EVENT_CAPSULES];
    }
    if (before.combo == after.combo && before.viruses == after.viruses) return;
    const int cleared = decode_bcd(before.viruses) - decode_bcd(after.viruses);
    if (cleared > 0) events[EVENT_VIRUSES] += cleared;
    if (after.combo > before.combo) events[EVENT_LINES] += after.combo - before.combo;
    // The queue itself does not tell: the opponent may take it within the same frame.
    if (before.next_action == ACTION_CHECK_ATTACK && before.combo >= MIN_ATTACK) {
        events[EVENT_GARBAGE] += before.combo;
    }
}

// How the round stands; a clear beats the opponent's top-out in the same frame.
void judge(VectorGame& game, StepResult& result) {
    const Player& first = seat_of(game, 0).player();
    const Player& second = seat_of(game, 1).player();
    const bool solo = game.ram[SOLO] != 0;
    const bool cleared[] = {first.viruses == 0, second.viruses == 0 && !solo};
    const bool failed[] = {first.topped_out != 0, second.topped_out != 0 && !solo};
    if (cleared[0] || cleared[1]) {
        const bool both = cleared[0] && cleared[1];
        result.reason = both ? BOTH_CLEAR : CLEAR;
        result.winner = both ? NO_WINNER : cleared[1];
    } else if (failed[0] || failed[1]) {
        const bool both = failed[0] && failed[1];
        result.reason = both ? BOTH_TOP_OUT : TOP_OUT;
        result.winner = both ? NO_WINNER : failed[0];
    }
}

void count_end(StepResult& result) {
    for (int seat = 0; seat < NUM_SEATS; ++seat) {
        std::int32_t* events = result.events[seat];
        const bool won = result.winner == seat, lost = result.winner == 1 - seat;
        events[EVENT_WON] = won;
        events[EVENT_LOST] = lost;
        events[EVENT_CLEAR_WON] = won && result.reason == CLEAR;
        events[EVENT_TOPPED_OUT] = (lost && result.reason == TOP_OUT) ||
                                   result.reason == BOTH_TOP_OUT;
    }
}

void update_plan(VectorGame& game, int seat, Profile* profile, Part around) {
    SeatPlan& plan = game.plans[seat];
    const Player& player = seat_of(game, seat).player();
    if (player.next_action != ACTION_FALLING) {
        plan.has_plan = 0;
        return;
    }
    if (plan.has_plan != 0 || plan.is_due != 0) return;
    const Stopwatch stopwatch(profile, PLANS, around);
    plan.is_due = 1;
    if (plan.skips_legal == 0) find_legal(game, seat);
}

void choose(VectorGame& game, int seat, std::int64_t action) {
    SeatPlan& plan = game.plans[seat];
    if (plan.is_due == 0) {
        game.ignored[seat] += action != WAIT;
        return;
    }
    const Player& player = seat_of(game, seat).player();
    const bool one_colour = player.colour_first == player.colour_second;
    const int pose = action >= 0 && action < NUM_POSES ? static_cast<int>(action) : WAIT;
    plan.frames = 0;
    if (pose != WAIT && plan.legal.has(pose)) {
        plan.frames = plan_script(read_capsule(seat_of(game, seat)), pose, one_colour, plan.pads);
    }
    const bool may_wait = action == WAIT && plan.legal.is_empty();
    game.illegal[seat] += plan.frames == 0 && !may_wait;
    plan.next = 0;
    plan.has_plan = 1;
    plan.is_due = 0;
}

std::uint8_t next_pad(SeatPlan& plan) {
    return plan.has_plan != 0 && plan.next < plan.frames ? plan.pads[plan.next++] : 0;
}

void run_frame(VectorGame& game, StepResult& result) {
    const Player& first = seat_of(game, 0).player();
    const Player& second = seat_of(game, 1).player();
    const Watched before[] = {watch(first), watch(second)};
    step_frame(game.ram, next_pad(game.plans[0]), next_pad(game.plans[1]));
    ++game.frames;
    ++result.frames;
    count_frame(before[0], first, result.events[0]);
    count_frame(before[1], second, result.events[1]);
}

void run_to_decision(VectorGame& game, std::int32_t max_frames, StepResult& result,
                     Profile* profile) {
    const Stopwatch stopwatch(profile, FRAMES);
    while (result.reason == RUNNING && game.plans[0].is_due == 0 && game.plans[1].is_due == 0) {
        run_frame(game, result);
        judge(game, result);
        if (result.reason != RUNNING) return;
        for (int seat = 0; seat < NUM_SEATS; ++seat) {
            if (is_active(game, seat)) update_plan(game, seat, profile, FRAMES);
        }
        if (game.frames >= max_frames) result.reason = FRAME_LIMIT;
    }
}

}  // namespace

void find_legal(VectorGame& game, int seat) {
    PoseSet& legal = game.plans[seat].legal;
    legal = find_poses(read_capsule(seat_of(game, seat)));
    const Player& player = seat_of(game, seat).player();
    if (player.colour_first == player.colour_second) legal = legal.folded();
}

bool start_episode(VectorGame& game, const RoundStart& start, Profile* profile) {
    const Stopwatch stopwatch(profile, RESTARTS);
    game = VectorGame{};
    enter_setup(game.ram, start.rng_word, start.frame_counter, start.levels, start.speeds,
                start.solo != 0);
    for (int frame = 0; !can_all_act(game.ram); ++frame) {
        if (frame == START_FRAME_CAP) return false;
        step_frame(game.ram, 0, 0);
    }
    for (int seat = 0; seat < NUM_SEATS; ++seat) {
        change_bottle(seat_of(game, seat), start);
        game.heights[seat] = measure_height(seat_of(game, seat).field());
        if (is_active(game, seat)) update_plan(game, seat, profile, RESTARTS);
    }
    return true;
}

void step_episode(VectorGame& game, const std::int64_t* actions, std::int32_t max_frames,
                  StepResult& result, Profile* profile) {
    result = StepResult{};
    result.winner = NO_WINNER;
    for (int seat = 0; seat < NUM_SEATS; ++seat) {
        const Stopwatch stopwatch(profile, SCRIPTS);
        choose(game, seat, actions[seat]);
    }
    run_to_decision(game, max_frames, result, profile);
    count_end(result);
    for (int seat = 0; seat < NUM_SEATS; ++seat) {
        const int height = measure_height(seat_of(game, seat).field());
        result.events[seat][EVENT_SUNK] = game.heights[seat] - height;
        game.heights[seat] = height;
        for (int event = 0; event < NUM_EVENTS; ++event) {
            game.totals[seat][event] += result.events[seat][event];
        }
    }
}

}  // namespace pill
