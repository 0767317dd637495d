// The placed pipeline without its waits.
#include "settle.hpp"

#include <algorithm>

namespace pill {
namespace {

using namespace layout;

// Source: docs/game.md, the frames between a lock and the next capsule.
constexpr int FIRST_PASS = 4;
constexpr int AFTER_LAST_PASS = 10;
constexpr int PER_ROUND = 20;
constexpr int PER_MOVING_PASS = 16;
constexpr std::uint8_t TYPE_OF_TILE = 0xF0;

int count_tiles(const std::uint8_t* field) {
    int count = 0;
    for (int cell = 0; cell < CELLS; ++cell) count += field[cell] != TILE_EMPTY;
    return count;
}

int count_viruses(const std::uint8_t* field) {
    int count = 0;
    for (int cell = 0; cell < CELLS; ++cell) {
        count += (field[cell] & TYPE_OF_TILE) == TILE_VIRUS;
    }
    return count;
}

}  // namespace

int count_resting_frames(int row) { return std::max(FIRST_PASS, row + 1) + AFTER_LAST_PASS; }

Settled settle(std::uint8_t* field, int row) {
    Settled settled;
    settled.viruses = count_viruses(field);
    settled.cells = count_tiles(field);
    settled.frames = count_resting_frames(row);
    Player player{};
    while (true) {
        while (fall_pass(field)) settled.frames += PER_MOVING_PASS;
        player.matched = 0;
        scan_rows(field, player);
        scan_columns(field, player);
        update_field(field);
        if (player.matched == 0) break;
        ++settled.rounds;
        settled.frames += PER_ROUND;
    }
    settled.lines = player.combo;
    settled.viruses -= count_viruses(field);
    settled.cells -= count_tiles(field);
    return settled;
}

}  // namespace pill
