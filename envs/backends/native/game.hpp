// One game of Pill Duel, frame by frame, on an image of the console's RAM.
//
// The image is the whole state: every function takes the RAM and changes it as the cartridge
// does, so a picture of the game passes freely between the simulator, the emulator and tests.
// Covered are the modes from set-up to the end of the set; title and options stand still.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "layout.hpp"

namespace pill {

// A player block as it lies in RAM. `unused` bytes are kept as they are.
struct Player {
    std::uint8_t status;  // field row being redrawn, 0F down to 00; FF idle
    std::uint8_t colour_first;
    std::uint8_t colour_second;
    std::uint8_t unused_03[2];
    std::uint8_t x;  // left column
    std::uint8_t y;  // bottom cell, counted from the bottom
    std::uint8_t placed_step;
    std::uint8_t unused_08;
    std::uint8_t topped_out;
    std::uint8_t speed_ups;
    std::uint8_t speed;
    std::uint8_t unused_0c[2];
    std::uint8_t last_run;
    std::uint8_t combo;
    std::uint8_t capsules_low;  // BCD
    std::uint8_t capsules_high;
    std::uint8_t gravity_counter;
    std::uint8_t das_counter;
    std::uint8_t matched;
    std::uint8_t last_chain_row;
    std::uint8_t level;
    std::uint8_t next_action;
    std::uint8_t garbage_out;
    std::uint8_t unused_19;
    std::uint8_t next_first;
    std::uint8_t next_second;
    std::uint8_t unused_1c[2];
    std::uint8_t crowns;
    std::uint8_t unused_1f;
    std::uint8_t speed_ups_copy;
    std::uint8_t run_total;
    std::uint8_t next_rotation;
    std::uint8_t next_size;
    std::uint8_t viruses;  // BCD
    std::uint8_t rotation;
    std::uint8_t size;
    std::uint8_t reserve_index;
    std::uint8_t viruses_to_place;
    std::uint8_t attack_colours[4];
    std::uint8_t score_multiplier;
    std::uint8_t unused_2e[2];
};

static_assert(sizeof(Player) == layout::PLAYER_BLOCK_SIZE && alignof(Player) == 1);
static_assert(std::is_trivially_copyable_v<Player>);
static_assert(offsetof(Player, x) == layout::P_X);
static_assert(offsetof(Player, topped_out) == layout::P_TOPPED_OUT);
static_assert(offsetof(Player, combo) == layout::P_COMBO);
static_assert(offsetof(Player, level) == layout::P_LEVEL);
static_assert(offsetof(Player, garbage_out) == layout::P_GARBAGE_OUT);
static_assert(offsetof(Player, crowns) == layout::P_CROWNS);
static_assert(offsetof(Player, viruses) == layout::P_VIRUSES);
static_assert(offsetof(Player, attack_colours) == layout::P_ATTACK_COLOURS);
static_assert(offsetof(Player, score_multiplier) == layout::P_SCORE_MULTIPLIER);

// View of one seat of a RAM image; cheap to make, owns nothing.
struct Seat {
    std::uint8_t* ram;
    int index;

    Player& player() const { return *reinterpret_cast<Player*>(ram + base()); }
    std::uint8_t* field() const { return ram + (index == 0 ? layout::FIELD1 : layout::FIELD2); }
    Seat opponent() const { return Seat{ram, 1 - index}; }
    std::size_t base() const { return index == 0 ? layout::PLAYER1 : layout::PLAYER2; }
};

// Run one frame with both pads held as given (`layout::BUTTON_*` bits).
void step_frame(std::uint8_t* ram, std::uint8_t pad1, std::uint8_t pad2);

// Write what the RAM holds on entering set-up, on a cleared image: the entry to a round.
void enter_setup(std::uint8_t* ram, std::uint16_t rng_word, std::uint8_t frame_counter,
                 const std::uint8_t levels[2], const std::uint8_t speeds[2], bool solo);

// ---- pieces of a frame that planners and searches use on their own --------------------------

// Is the capsule's pose free? Above the top row counts as empty; x lies within the walls.
bool pose_is_free(const std::uint8_t* field, int x, int y, int rotation);
// Write both halves; a half above the top row is lost.
void stamp_capsule(std::uint8_t* field, Player& player);
// Let everything unsupported fall one row; circles become empty. Returns whether anything moved.
// `falls` false only empties circles.
bool fall_pass(std::uint8_t* field, bool falls = true);
// Find and mark lines; counts, attack colours, viruses and crowns go to `player`.
void scan_rows(std::uint8_t* field, Player& player);
void scan_columns(std::uint8_t* field, Player& player);
// Matched cells become circles, widowed halves singles.
void update_field(std::uint8_t* field);

}  // namespace pill
