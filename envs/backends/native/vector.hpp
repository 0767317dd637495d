// Many games played a decision at a time: each runs until one of its seats must place a capsule.
//
// The placement rules are those of `envs/placement.py`: a due seat gives a pose, any other waits,
// and what cannot be played is played as no input until the capsule locks.
#pragma once

#include <cstdint>

#include "game.hpp"
#include "planner.hpp"
#include "profile.hpp"

namespace pill {

constexpr int NUM_SEATS = 2;
constexpr int WAIT = NUM_POSES;
constexpr int NUM_PLACEMENTS = NUM_POSES + 1;

// What happened to a seat during a step; rewards are sums of these, weighted.
enum Event {
    EVENT_VIRUSES,    // cleared
    EVENT_LINES,      // cleared
    EVENT_GARBAGE,    // pieces queued for the opponent
    EVENT_SUNK,       // rows by which the highest tile sank; negative when it rose
    EVENT_CAPSULES,   // locked
    EVENT_WON,
    EVENT_LOST,
    EVENT_CLEAR_WON,  // won by clearing the bottle
    EVENT_TOPPED_OUT,
    NUM_EVENTS
};

// Why an episode ended, in the order of `envs.game.outcome.END_REASONS`; 0 while it goes on.
enum EndReason : std::uint8_t {
    RUNNING, CLEAR, TOP_OUT, BOTH_CLEAR, BOTH_TOP_OUT, FRAME_LIMIT
};
constexpr std::int8_t NO_WINNER = -1;

// What a seat does with its falling capsule.
struct SeatPlan {
    PoseSet legal;  // of the falling capsule
    std::int32_t frames;  // of the script
    std::int32_t next;    // frame of the script that comes next
    std::uint8_t is_due;
    std::uint8_t has_plan;
    std::uint8_t skips_legal;  // 1: `legal` is out of date until `find_legal` is called
    std::uint8_t unused;
    std::uint8_t pads[MAX_SCRIPT_FRAMES];
};

// Set-up of a round, as `enter_setup` takes it, and what is changed once play is to begin.
struct RoundStart {
    std::uint16_t rng_word;
    std::uint8_t frame_counter;
    std::uint8_t levels[NUM_SEATS];
    std::uint8_t speeds[NUM_SEATS];
    std::uint8_t solo;
    std::uint8_t viruses[NUM_SEATS];  // to keep; 0 for all
    std::uint32_t thin_seed;          // draws which
    std::uint8_t has_bottles;         // replace the viruses that set-up drew
    std::uint8_t bottles[NUM_SEATS][layout::CELLS];
};

// A game and all that its next step depends on; copied by memcpy.
struct VectorGame {
    std::uint8_t ram[layout::RAM_SIZE];
    std::int32_t frames;                      // of the episode
    std::int32_t illegal[NUM_SEATS];          // choices of the episode that could not be played
    std::int32_t ignored[NUM_SEATS];          // actions of a seat that had nothing to place
    std::int32_t totals[NUM_SEATS][NUM_EVENTS];  // of the episode
    std::int32_t heights[NUM_SEATS];          // rows up to the highest tile
    SeatPlan plans[NUM_SEATS];
};
static_assert(std::is_trivially_copyable_v<VectorGame>);

// What a step shows of one game.
struct StepResult {
    std::int32_t frames;
    std::uint8_t reason;  // `EndReason`
    std::int8_t winner;   // seat, or NO_WINNER
    std::int32_t events[NUM_SEATS][NUM_EVENTS];
};

// Start an episode: both active seats are then due. Returns whether the game got that far.
bool start_episode(VectorGame& game, const RoundStart& start, Profile* profile = nullptr);

// Find the legal poses of a due seat's capsule.
void find_legal(VectorGame& game, int seat);

// Run a game to its next decision or to its end.
void step_episode(VectorGame& game, const std::int64_t* actions, std::int32_t max_frames,
                  StepResult& result, Profile* profile = nullptr);

}  // namespace pill
