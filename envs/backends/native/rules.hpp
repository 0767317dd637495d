// What the rule files ask of each other; the outside sees `game.hpp`.
#pragma once

#include "game.hpp"

namespace pill {

using u8 = std::uint8_t;

constexpr u8 STATUS_IDLE = 0xFF;
constexpr u8 STATUS_REDRAW = 0x0F;  // redraw the whole bottle, from the bottom row up
constexpr int TOP_Y = layout::ROWS - 1;
constexpr u8 TYPE_MASK = 0xF0;
constexpr u8 COLOUR_MASK = 0x0F;

// One up in packed BCD, and one down.
inline u8 add_one_bcd(u8 value) {
    ++value;
    return static_cast<u8>((value & 0x0F) == 10 ? value + 6 : value);
}
inline u8 take_one_bcd(u8 value) {
    return static_cast<u8>((value & 0x0F) == 0 ? value - 7 : value - 1);
}

// setup.cpp: modes 3 and 8.
void setup_mode(u8* ram);
void intro_mode(u8* ram);
// Make a seat the player being processed: its block in the scratch area, its bottle and pad.
void load_scratch(const Seat& seat);
void clear_fields(u8* ram);

// control.cpp: one frame of a falling capsule.
void run_falling(const Seat& seat);

// versus.cpp: from the lock to the next capsule.
void run_placed(const Seat& seat);
void check_attack(const Seat& seat);
void spawn(const Seat& seat);
// Make the next capsule the falling one and draw a new next one from the reserve.
void draw_next_capsule(const u8* ram, Player& player);

// round_end.cpp: modes 5 and 7, and mode 4 once a bottle is clear.
bool has_won_set(const u8* ram, const Player& player);
void enter_end_mode(u8* ram);
void check_cleared(u8* ram);
void check_topped_out(u8* ram);
void run_clear_phase(u8* ram);
void top_out_mode(u8* ram);
void end_mode(u8* ram);

}  // namespace pill
