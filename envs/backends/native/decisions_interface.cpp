// Decisions of the vector env with their pads shown; `envs/backends/native_decisions.py` declares
// the same. Callers own all memory and vouch for its size.
#include <cstring>

#include "api.hpp"
#include "greedy.hpp"
#include "vector.hpp"

namespace pill {
namespace {

// Action of a seat that plays as `greedy` does.
constexpr std::int64_t STEER = NUM_PLACEMENTS;
// This and a pose: the action of a seat that goes there by the cartridge's movement routine.
constexpr std::int64_t ROUTE = STEER + 1;
constexpr std::int32_t NOT_DUE = -1;

// What a decision became.
struct DecisionArrays {
    std::uint8_t* pads;    // (games, 2, MAX_SCRIPT_FRAMES)
    std::int32_t* frames;  // (games, 2): pads that count, or NOT_DUE
    std::int16_t* poses;   // (games, 2): the pose set out for, or WAIT
};

int steer_seat(const Seat& seat, SeatPlan& plan, const GreedyWeights& weights) {
    const FallingCapsule capsule = read_capsule(seat);
    const Player& player = seat.player();
    const int pose = choose_drop(capsule, player.colour_first, player.colour_second, weights);
    plan.frames = steer_capsule(capsule, pose, plan.pads);
    return pose;
}

int route_seat(const Seat& seat, SeatPlan& plan, std::int64_t pose) {
    plan.frames = route_capsule(read_capsule(seat), static_cast<int>(pose), plan.pads);
    return static_cast<int>(pose);
}

int place_capsule(const Seat& seat, SeatPlan& plan, std::int64_t action) {
    plan.frames = 0;
    if (action < 0 || action >= NUM_POSES || !plan.legal.has(static_cast<int>(action))) return WAIT;
    const Player& player = seat.player();
    const int pose = static_cast<int>(action);
    const bool one_colour = player.colour_first == player.colour_second;
    plan.frames = plan_script(read_capsule(seat), pose, one_colour, plan.pads);
    return pose;
}

void decide(VectorGame& game, int seat, std::int64_t action, const GreedyWeights& weights,
            std::int64_t row, const DecisionArrays& arrays) {
    SeatPlan& plan = game.plans[seat];
    arrays.frames[row] = NOT_DUE;
    if (plan.is_due == 0) return;
    const Seat own{game.ram, seat};
    const bool routed = action >= ROUTE && action < ROUTE + NUM_POSES;
    const int pose = action == STEER ? steer_seat(own, plan, weights)
                     : routed        ? route_seat(own, plan, action - ROUTE)
                                     : place_capsule(own, plan, action);
    game.illegal[seat] += plan.frames == 0 && (action != WAIT || !plan.legal.is_empty());
    plan.next = 0;
    plan.has_plan = 1;
    plan.is_due = 0;
    arrays.frames[row] = plan.frames;
    arrays.poses[row] = static_cast<std::int16_t>(pose);
    std::memcpy(arrays.pads + row * MAX_SCRIPT_FRAMES, plan.pads,
                static_cast<std::size_t>(plan.frames));
}

}  // namespace
}  // namespace pill

PILL_API std::int64_t pill_route_action() noexcept { return pill::ROUTE; }

PILL_API std::int32_t pill_greedy_weights() noexcept { return pill::NUM_GREEDY_WEIGHTS; }

// Decide for every due seat: int64 actions (games, 2). The next step then takes WAIT for all.
PILL_API void pill_decide(pill::VectorGame* games, std::int64_t count, const std::int64_t* actions,
                          const pill::GreedyWeights* weights,
                          const pill::DecisionArrays* arrays) noexcept {
    for (std::int64_t row = 0; row < pill::NUM_SEATS * count; ++row) {
        pill::decide(games[row / pill::NUM_SEATS], static_cast<int>(row % pill::NUM_SEATS),
                     actions[row], *weights, row, *arrays);
    }
}
