// Who presses what in a duel, a capsule at a time.
#include "duel.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "rules.hpp"
#include "settle.hpp"

namespace pill {
namespace {

using namespace layout;
constexpr int RANDOM_FRAMES = 4;
constexpr int SPAWN_X = 3;
// The 12 button actions of `envs/actions.py`.
constexpr u8 ACTIONS[] = {
    0, BUTTON_LEFT, BUTTON_RIGHT, BUTTON_DOWN, BUTTON_A, BUTTON_B,
    BUTTON_LEFT | BUTTON_A, BUTTON_RIGHT | BUTTON_A, BUTTON_LEFT | BUTTON_B,
    BUTTON_RIGHT | BUTTON_B, BUTTON_DOWN | BUTTON_LEFT, BUTTON_DOWN | BUTTON_RIGHT,
};

// xorshift64*: good enough to press buttons.
std::uint32_t draw(std::uint64_t& state) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return static_cast<std::uint32_t>(state * 0x2545F4914F6CDD1DULL >> 32);
}

// Let a seat play `frames` pads of its plan from the next frame on.
void set_out(SeatPlan& plan, int frames) {
    plan.frames = frames;
    plan.next = 0;
    plan.has_plan = 1;
    plan.is_due = 0;
}

void press_random(SeatPlan& plan, std::uint64_t& state) {
    for (int frame = 0; frame < MAX_SCRIPT_FRAMES; frame += RANDOM_FRAMES) {
        const u8 pad = ACTIONS[draw(state) % std::size(ACTIONS)];
        const int end = std::min(frame + RANDOM_FRAMES, MAX_SCRIPT_FRAMES);
        std::fill(plan.pads + frame, plan.pads + end, pad);
    }
    set_out(plan, MAX_SCRIPT_FRAMES);
}

void move_by_routine(const Seat& seat, SeatPlan& plan, int pose) {
    set_out(plan, route_capsule(read_capsule(seat), pose, plan.pads));
}

void move_by_tree(const Seat& seat, SeatPlan& plan, const u8* page) {
    routine::Candidate candidates[routine::MAX_CANDIDATES];
    const int count = routine::list_candidates(read_routine_position(seat), candidates);
    const int best = routine::choose_candidate(candidates, count, page);
    const bool found = best >= 0;
    const int rotation = found ? candidates[best].rotation : 0;
    move_by_routine(seat, plan, rotation * CELLS + (found ? candidates[best].column : SPAWN_X));
}

void move_greedily(const Seat& seat, SeatPlan& plan, const GreedyWeights& weights) {
    const FallingCapsule capsule = read_capsule(seat);
    const Player& player = seat.player();
    const int pose = choose_drop(capsule, player.colour_first, player.colour_second, weights);
    set_out(plan, steer_capsule(capsule, pose, plan.pads));
}

// Returns the action of the step: WAIT where the plan is made here.
std::int64_t decide(VectorGame& game, int index, DuelSeat& seat, const u8* pads, int num_pads,
                    const DuelPlayers& players) {
    SeatPlan& plan = game.plans[index];
    if (plan.is_due == 0) return WAIT;
    const Seat view{game.ram, index};
    switch (seat.control) {
        case TREE:
            move_by_tree(view, plan, players.pages + routine::PAGE_SIZE * seat.page);
            return WAIT;
        case RANDOM:
            press_random(plan, seat.random);
            return WAIT;
        case SEARCH: {
            const int pose =
                search(read_search_position(view), *players.weights, players.search, nullptr);
            find_legal(game, index);
            return pose == NO_POSE ? WAIT : pose;
        }
        case GREEDY:
            move_greedily(view, plan, *players.greedy);
            return WAIT;
        case OUTSIDE:
            if (seat.manner == PLANNED) {
                find_legal(game, index);
                return seat.pose;
            }
            if (seat.manner == ROUTINE) {
                move_by_routine(view, plan, seat.pose);
            } else {
                std::memcpy(plan.pads, pads, static_cast<std::size_t>(num_pads));
                set_out(plan, num_pads);
            }
            return WAIT;
        default:
            set_out(plan, 0);
            return WAIT;
    }
}

int decode_bcd(u8 value) { return (value >> 4) * 10 + (value & 15); }

}  // namespace

SoloOutcome play_capsules(u8* ram, const u8* page, int max_capsules) {
    const Seat seat{ram, 0};
    Player& player = seat.player();
    const int viruses = decode_bcd(player.viruses);
    SoloOutcome outcome{};
    while (outcome.capsules < max_capsules) {
        routine::Candidate candidates[routine::MAX_CANDIDATES];
        const int count = routine::list_candidates(read_routine_position(seat), candidates);
        const int best = routine::choose_candidate(candidates, count, page);
        if (best < 0) break;
        player.rotation = candidates[best].rotation;
        player.x = candidates[best].column;
        player.y = static_cast<u8>(ROWS - 1 - candidates[best].row);
        stamp_capsule(seat.field(), player);
        outcome.viruses += settle(seat.field(), candidates[best].row).viruses;
        ++outcome.capsules;
        outcome.cleared = outcome.viruses == viruses;
        if (outcome.cleared != 0) break;
        draw_next_capsule(ram, player);
        if (!pose_is_free(seat.field(), player.x, player.y, player.rotation)) break;
    }
    return outcome;
}

routine::Position read_routine_position(const Seat& seat) {
    routine::Position position;
    const FallingCapsule capsule = read_capsule(seat);
    const Player& player = seat.player();
    std::memcpy(position.field, capsule.field, CELLS);
    position.colours[0] = player.colour_first;
    position.colours[1] = player.colour_second;
    const int index = std::min<int>(capsule.gravity_index, NUM_GRAVITY_INDICES - 1);
    position.frames_per_row = static_cast<u8>(GRAVITY_TABLE[index] + 1);
    return position;
}

SearchPosition read_search_position(const Seat& seat) {
    const Player& own = seat.player();
    const Player& other = seat.opponent().player();
    SearchPosition position{};
    std::memcpy(position.field, seat.field(), CELLS);
    position.colours[0] = own.colour_first;
    position.colours[1] = own.colour_second;
    position.next_colours[0] = own.next_first;
    position.next_colours[1] = own.next_second;
    position.x = own.x;
    position.y = own.y;
    position.rotation = own.rotation;
    position.gravity_counter = own.gravity_counter;
    position.das_counter = own.das_counter;
    position.speed = own.speed;
    position.speed_ups = own.speed_ups;
    position.capsules_low = own.capsules_low;
    position.viruses = own.viruses;
    position.held = seat.ram[PAD1_HELD + seat.index];
    position.frame_counter = seat.ram[FRAME_COUNTER];
    position.opponent_capsules[0] = other.capsules_low;
    position.opponent_capsules[1] = other.capsules_high;
    position.incoming = other.garbage_out;
    std::copy_n(other.attack_colours, ATTACK_COLOURS_SIZE, position.attack_colours);
    return position;
}

void play_duel(VectorGame& game, DuelSeat* seats, const u8* pads, const std::int32_t* num_pads,
               const DuelPlayers& players, StepResult& result) {
    // To find all legal poses takes longer than most players take to choose.
    for (SeatPlan& plan : game.plans) plan.skips_legal = 1;
    bool is_first = true;
    do {
        std::int64_t actions[NUM_SEATS];
        for (int seat = 0; seat < NUM_SEATS; ++seat) {
            actions[seat] = decide(game, seat, seats[seat], pads + MAX_SCRIPT_FRAMES * seat,
                                   is_first ? num_pads[seat] : 0, players);
        }
        step_episode(game, actions, players.max_frames, result);
        is_first = false;
    } while (result.reason == RUNNING && !waits(game, seats, 0) && !waits(game, seats, 1));
}

}  // namespace pill
