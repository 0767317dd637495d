// The tiles of one bottle. Most passes over a bottle find nothing to do, so each is preceded by
// a plain loop over all cells that the compiler turns into a few vector instructions.
#include "bottle.hpp"

#include <array>

#include "rules.hpp"

namespace pill {
namespace {

using namespace layout;

constexpr int MIN_RUN = 4;

// Is there a cell whose piece the next fall pass moves or empties?
bool has_loose_cell(const u8* field) {
    u8 loose = 0;
    for (int cell = 0; cell < CELLS; ++cell) {
        loose |= static_cast<u8>(field[cell] != TILE_EMPTY && field[cell] >= TILE_CLEARED);
    }
    const auto is_empty = [&](int cell) { return static_cast<u8>(field[cell] == TILE_EMPTY); };
    const auto can_fall = [&](int cell, u8 pair_is_free) {
        const u8 tile = field[cell], type = tile & TYPE_MASK;
        const u8 falls = (tile < TILE_CLEARED) & (type != TILE_VIRUS) & (type != TILE_LEFT);
        return static_cast<u8>(falls & is_empty(cell + COLUMNS) &
                               ((type != TILE_RIGHT) | pair_is_free));
    };
    loose |= can_fall(0, 1);
    for (int cell = 1; cell < CELLS - COLUMNS; ++cell) {
        loose |= can_fall(cell, is_empty(cell + COLUMNS - 1));
    }
    return loose != 0;
}

// Do four cells in a row, `step` apart, have one colour? May say yes to a row that goes round
// the edge, never no to one that counts.
template <int step>
bool has_run(const u8* field) {
    std::array<u8, CELLS> same{};  // as its neighbour
    for (int cell = 0; cell < CELLS - step; ++cell) {
        const u8 here = field[cell], next = field[cell + step];
        same[cell] = static_cast<u8>((((here ^ next) & COLOUR_MASK) == 0) & (here != TILE_EMPTY) &
                                     (next != TILE_EMPTY));
    }
    u8 found = 0;
    for (int cell = 0; cell < CELLS - 3 * step; ++cell) {
        found |= static_cast<u8>(same[cell] & same[cell + step] & same[cell + 2 * step]);
    }
    return found != 0;
}

void mark_cell(u8& tile, Player& player) {
    if (tile >= TILE_VIRUS) {
        player.status = STATUS_REDRAW;
        player.viruses = take_one_bcd(player.viruses);
        if (player.viruses == 0) ++player.crowns;
    }
    tile = TILE_MATCHED | (tile & COLOUR_MASK);
}

void mark_run(u8* field, int last, int step, int length, Player& player) {
    const u8 colour = field[last] & COLOUR_MASK;
    if (player.combo < ATTACK_COLOURS_SIZE) player.attack_colours[player.combo] = colour;
    ++player.combo;
    ++player.matched;
    player.run_total = static_cast<u8>(player.run_total + length);
    player.last_run = static_cast<u8>(length - 1);
    player.last_chain_row = static_cast<u8>((last - step * (length - 1)) / COLUMNS);
    for (int cell = 0; cell < length; ++cell) mark_cell(field[last - cell * step], player);
}

// Mark the runs of one line of `count` cells, `step` apart.
void scan_line(u8* field, int first, int step, int count, Player& player) {
    int length = 1;
    for (int cell = 1; cell <= count; ++cell) {
        const int here = first + cell * step;
        const u8 before = field[here - step];
        const bool same = cell < count && field[here] != TILE_EMPTY && before != TILE_EMPTY &&
                          ((field[here] ^ before) & COLOUR_MASK) == 0;
        if (same) {
            ++length;
            continue;
        }
        if (length >= MIN_RUN) mark_run(field, here - step, step, length, player);
        length = 1;
    }
}

// The tile types of a bottle with a margin in which there is no half.
class Types {
public:
    explicit Types(const u8* field) {
        for (int cell = 0; cell < CELLS; ++cell) types_[MARGIN + cell] = field[cell] & TYPE_MASK;
    }

    // Is the cell a half whose other half is not where it should be?
    u8 is_widowed(int cell) const {
        const u8 type = at(cell);
        return static_cast<u8>(((type == TILE_TOP) & (at(cell + COLUMNS) != TILE_BOTTOM)) |
                               ((type == TILE_BOTTOM) & (at(cell - COLUMNS) != TILE_TOP)) |
                               ((type == TILE_LEFT) & (at(cell + 1) != TILE_RIGHT)) |
                               ((type == TILE_RIGHT) & (at(cell - 1) != TILE_LEFT)));
    }

    u8 at(int cell) const { return types_[MARGIN + cell]; }

    // Is there a cell that `update_field` changes?
    bool has_stale_cell() const {
        u8 stale = 0;
        for (int cell = 0; cell < CELLS; ++cell) {
            stale |= static_cast<u8>((at(cell) == TILE_MATCHED) | is_widowed(cell));
        }
        return stale != 0;
    }

private:
    static constexpr int MARGIN = COLUMNS;
    std::array<u8, MARGIN + CELLS + MARGIN> types_{};
};

}  // namespace

void stamp_capsule(u8* field, Player& player) {
    const bool swapped = (player.rotation & 2) != 0;
    const bool upright = (player.rotation & 1) != 0;
    const u8 pivot = swapped ? player.colour_second : player.colour_first;
    const u8 other = swapped ? player.colour_first : player.colour_second;
    const int cell = (TOP_Y - player.y) * COLUMNS + player.x;
    const auto write = [&](int place, int tile) {
        if (place >= 0 && place < CELLS) field[place] = static_cast<u8>(tile);
    };
    write(cell, (upright ? TILE_BOTTOM : TILE_LEFT) | pivot);
    write(upright ? cell - COLUMNS : cell + 1, (upright ? TILE_TOP : TILE_RIGHT) | other);
    player.status = static_cast<u8>(TOP_Y - player.y);
}

bool fall_pass(u8* field, bool falls) {
    if (!has_loose_cell(field)) return false;
    bool moved = false;
    for (int cell = CELLS - 1; cell >= 0; --cell) {
        const u8 tile = field[cell];
        if (tile >= TILE_CLEARED) {
            field[cell] = TILE_EMPTY;
            continue;
        }
        u8* below = field + cell + COLUMNS;
        const u8 type = tile & TYPE_MASK;
        if (cell >= CELLS - COLUMNS || *below != TILE_EMPTY || !falls) continue;
        if (type == TILE_VIRUS || type == TILE_LEFT) continue;
        if (type == TILE_RIGHT && cell > 0) {
            --cell;  // the left half needs no look of its own
            if (below[-1] != TILE_EMPTY) continue;
            below[-1] = field[cell];
            field[cell] = TILE_EMPTY;
            field[cell + 1] = TILE_EMPTY;
        } else {
            field[cell] = TILE_EMPTY;
        }
        *below = tile;
        moved = true;
    }
    return moved;
}

void scan_rows(u8* field, Player& player) {
    if (!has_run<1>(field)) return;
    for (int row = 0; row < ROWS; ++row) scan_line(field, row * COLUMNS, 1, COLUMNS, player);
}

void scan_columns(u8* field, Player& player) {
    if (!has_run<COLUMNS>(field)) return;
    for (int column = 0; column < COLUMNS; ++column) {
        scan_line(field, column, COLUMNS, ROWS, player);
    }
}

void update_field(u8* field) {
    const Types types(field);
    if (!types.has_stale_cell()) return;
    for (int cell = CELLS - 1; cell >= 0; --cell) {
        if (types.at(cell) == TILE_MATCHED) {
            field[cell] |= TILE_CLEARED;
        } else if (types.is_widowed(cell) != 0) {
            field[cell] = TILE_SINGLE | (field[cell] & COLOUR_MASK);
        }
    }
}

}  // namespace pill
