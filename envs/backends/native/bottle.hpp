// What happens to the tiles of one bottle: fits, locks, falls, lines.
//
// Functions on 128 tile bytes, row by row from the top; planners and searches use them on their
// own. They are safe for every byte value: a cell outside the bottle is never touched.
#pragma once

#include <cstdint>

#include "layout.hpp"
#include "player.hpp"

namespace pill {

// Is the capsule inside the walls and on empty cells? Above the top row counts as empty.
inline bool pose_is_free(const std::uint8_t* field, int x, int y, int rotation) {
    using namespace layout;
    const int upright = rotation & 1;
    if (x < 0 || x > COLUMNS - 2 + upright || y < 0 || y >= ROWS) return false;
    const int cell = (ROWS - 1 - y) * COLUMNS + x;
    if (field[cell] != TILE_EMPTY) return false;
    if (upright == 0) return field[cell + 1] == TILE_EMPTY;
    return cell < COLUMNS || field[cell - COLUMNS] == TILE_EMPTY;
}

// Write both halves of the falling capsule; a half outside the bottle is lost.
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
