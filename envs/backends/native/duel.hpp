// Games played to their end between built-in players, or to the next choice of one outside.
//
// Trees move as the cartridge's routine does, frame by frame; everyone else as the vector env does.
#pragma once

#include <cstdint>

#include "greedy.hpp"
#include "routine.hpp"
#include "search.hpp"
#include "vector.hpp"

namespace pill {

// Who plays a seat.
enum Control : std::uint8_t {
    OUTSIDE,  // the caller gives a pose or pads for every capsule
    STILL,    // no buttons
    RANDOM,   // a button action drawn every few frames
    TREE,     // a page, by the routine
    SEARCH,
    GREEDY,   // the rating anchor, by taps
};

// How a choice from outside is played.
enum Manner : std::uint8_t {
    PLANNED,  // a pose, on the planner's shortest way
    ROUTINE,  // a pose of the routine's candidates, by the routine
    PADS,     // pads as given, then nothing
};

struct DuelSeat {
    std::uint8_t control;  // `Control`
    std::uint8_t manner;   // `Manner`, of OUTSIDE
    std::int16_t pose;     // chosen outside
    std::int32_t page;     // of TREE: number of the page
    std::uint64_t random;  // state of RANDOM, never 0
};

struct DuelPlayers {
    const std::uint8_t* pages;  // one after the other
    const SearchWeights* weights;
    const GreedyWeights* greedy;
    SearchConfig search;
    std::int32_t max_frames;
};

// Whether `seat` waits for a choice from outside.
inline bool waits(const VectorGame& game, const DuelSeat* seats, int seat) {
    return seats[seat].control == OUTSIDE && game.plans[seat].is_due != 0;
}

// What the small player of a seat looks at.
routine::Position read_routine_position(const Seat& seat);

// What a search of a seat looks at.
SearchPosition read_search_position(const Seat& seat);

// Play on until an OUTSIDE seat waits or the game ends. Choices from outside are taken first: `pads`
// holds MAX_SCRIPT_FRAMES for each seat and `num_pads` how many count. `result` is of the last step.
void play_duel(VectorGame& game, DuelSeat* seats, const std::uint8_t* pads,
               const std::int32_t* num_pads, const DuelPlayers& players, StepResult& result);

// What became of a solo round that was played capsule by capsule.
struct SoloOutcome {
    std::int32_t capsules;
    std::int32_t viruses;  // cleared
    std::int32_t cleared;  // 1: the whole bottle
};

// Play a solo round with a tree from its first frame of control on, without the frames: where
// nobody sends garbage, what locks where does not depend on them. `ram` is used up.
SoloOutcome play_capsules(std::uint8_t* ram, const std::uint8_t* page, int max_capsules);

}  // namespace pill
