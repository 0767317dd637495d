// Sets of a falling capsule's states within one row, and what one frame does to them.
//
// A bit stands for a pose of the row: rotation * 8 + column. A state is a pose with what the last
// frame pressed, because a button acts again only after a release: words are the cases of left and
// right, by_turn those of A and B.
#pragma once

#include <cstdint>

namespace pill::reach {

using Bits = std::uint32_t;
using Words = Bits __attribute__((vector_size(16)));

// LEFT: down, and auto-repeat is frames away, so it is let go. STUCK_LEFT: a tile was in the way,
// which charges auto-repeat, so staying down tries again at once. RIGHT needs no such care: it helps
// no turn, so it can be tapped when it moves.
enum Side { NEITHER, LEFT, RIGHT, STUCK_LEFT };
enum Turn { UNTURNED, CLOCKWISE, COUNTER, BOTH, NUM_TURNS };

inline Words spread(Bits bits) { return Words{bits, bits, bits, bits}; }

inline Bits word_of(Words words, Side side) { return words[side]; }

inline Bits unite(Words words) { return words[0] | words[1] | words[2] | words[3]; }

struct States {
    Words by_turn[NUM_TURNS];

    Bits poses(int turn) const { return unite(by_turn[turn]); }
    Bits poses() const { return unite(by_turn[0] | by_turn[1] | by_turn[2] | by_turn[3]); }

    States within(Bits poses) const {
        const Words mask = spread(poses);
        return {{by_turn[0] & mask, by_turn[1] & mask, by_turn[2] & mask, by_turn[3] & mask}};
    }

    void add(const States& more) {
        for (int turn = 0; turn < NUM_TURNS; ++turn) by_turn[turn] |= more.by_turn[turn];
    }

    bool operator==(const States& other) const {
        Words different{};
        for (int turn = 0; turn < NUM_TURNS; ++turn) {
            different |= by_turn[turn] ^ other.by_turn[turn];
        }
        return unite(different) == 0;
    }
};

// What a row lets a capsule do, by word. Turning flat differs with LEFT down: double left.
struct RowMasks {
    Words left;      // poses that move left
    Words right;     // poses that move right
    Words stay;      // poses that do not move
    Words lie;       // upright poses that turn flat in place, and flat ones that turn upright
    Words lie_left;  // upright poses that turn flat one column to the left
    Bits free;       // poses that overlap nothing
};

inline Words shift(Words states, const RowMasks& row) {
    return (states & row.stay) | (states & row.left) >> 1 | (states & row.right) << 1;
}

// Where the poses that have room to turn come to be, their rotation still the old one.
inline Words turn_in_place(Words states, const RowMasks& row) {
    return (states & row.lie) | (states & row.lie_left) >> 1;
}

inline Words turn_clockwise(Words states, const RowMasks& row) {
    const Words turned = turn_in_place(states, row);
    return turned >> 8 | turned << 24;
}

inline Words turn_counter(Words states, const RowMasks& row) {
    const Words turned = turn_in_place(states, row);
    return turned << 8 | turned >> 24;
}

// Every turn after the shift: each button only for states in which it is not down already.
inline States turn(const Words (&shifted)[NUM_TURNS], const RowMasks& row) {
    const Words none = shifted[UNTURNED];
    States next;
    next.by_turn[UNTURNED] = none | shifted[CLOCKWISE] | shifted[COUNTER] | shifted[BOTH];
    next.by_turn[CLOCKWISE] = turn_clockwise(none | shifted[COUNTER], row);
    next.by_turn[COUNTER] = turn_counter(none | shifted[CLOCKWISE], row);
    next.by_turn[BOTH] = turn_counter(turn_clockwise(none, row), row);
    return next;
}

// Which states each choice of sides continues: a tap needs its button up.
inline Words press_sides(Words states) {
    return __builtin_shufflevector(states, states, NEITHER, NEITHER, NEITHER, NEITHER) |
           __builtin_shufflevector(states, states, LEFT, RIGHT, LEFT, RIGHT) |
           __builtin_shufflevector(states, states, RIGHT, STUCK_LEFT, STUCK_LEFT, STUCK_LEFT) |
           __builtin_shufflevector(states, states, STUCK_LEFT, NEITHER, NEITHER, NEITHER);
}

// One frame in a row, every pad. For the frame of a drop, give the states that can drop.
inline States advance(const States& states, const RowMasks& row) {
    Words shifted[NUM_TURNS];
    for (int turn = 0; turn < NUM_TURNS; ++turn) {
        shifted[turn] = shift(press_sides(states.by_turn[turn]), row);
    }
    return turn(shifted, row);
}

// The frame of a soft drop: no side can be pressed. `poses` are by turn.
inline States soft_drop(const Bits (&poses)[NUM_TURNS], const RowMasks& below) {
    Words dropped[NUM_TURNS];
    for (int turn = 0; turn < NUM_TURNS; ++turn) {
        dropped[turn] = Words{poses[turn] & below.free, 0, 0, 0};
    }
    return turn(dropped, below);
}

}  // namespace pill::reach
