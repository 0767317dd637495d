// A player block as it lies in RAM, 48 bytes; `unused` bytes are kept as they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "layout.hpp"

namespace pill {

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

}  // namespace pill
