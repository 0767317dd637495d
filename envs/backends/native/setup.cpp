// Modes 3 and 8: capsules and viruses of a round, drawn from the 16-bit RNG in RAM.
#include <cstring>

#include "rules.hpp"

namespace pill {
namespace {

using namespace layout;

constexpr u8 INTRO_WAIT = 128;
constexpr u8 ALL_COLOURS = 0b111;
constexpr u8 MUSIC_OFF = 2;

void step_rng(u8* ram) {
    const u8 bit = (ram[RNG_HIGH] ^ ram[RNG_LOW]) >> 1 & 1;
    ram[RNG_LOW] = static_cast<u8>(ram[RNG_LOW] >> 1 | (ram[RNG_HIGH] & 1) << 7);
    ram[RNG_HIGH] = static_cast<u8>(ram[RNG_HIGH] >> 1 | bit << 7);
}

void fill_reserve(u8* ram) {
    int id = 0;
    for (int index = RESERVE_SIZE - 1; index >= 0; --index) {
        step_rng(ram);
        id = (id + (ram[RNG_HIGH] & 0x0F)) % NUM_CAPSULE_IDS;
        ram[RESERVE + index] = static_cast<u8>(id);
    }
}

Player& scratch(u8* ram) { return *reinterpret_cast<Player*>(ram + CUR); }

void save_choices(u8* ram) {
    for (int seat = 0; seat < 2; ++seat) {
        const Player& player = Seat{ram, seat}.player();
        ram[SAVED_CROWNS + seat] = player.crowns;
        ram[SAVED_LEVELS + seat] = player.level;
        ram[SAVED_SPEEDS + seat] = player.speed;
    }
}

// Give a seat a copy of the scratch block, with the crowns, level and speed that it had.
void copy_scratch(const Seat& seat) {
    const u8* ram = seat.ram;
    Player& player = seat.player();
    std::memcpy(&player, ram + CUR, PLAYER_BLOCK_SIZE);
    player.crowns = ram[SAVED_CROWNS + seat.index];
    player.level = ram[SAVED_LEVELS + seat.index];
    player.speed = ram[SAVED_SPEEDS + seat.index];
}

// Reset what a round starts with; auto-repeat and attack colours outlive the round before.
void clear_round(u8* ram) {
    Player& player = scratch(ram);
    player.status = player.placed_step = player.topped_out = 0;
    player.speed_ups = player.combo = 0;
    player.capsules_low = player.capsules_high = 0;
    player.gravity_counter = player.garbage_out = player.speed_ups_copy = 0;
    player.run_total = player.viruses = player.reserve_index = 0;
    player.next_action = ACTION_SEND_PILL;
    ram[PHASE] = ram[WAIT_FRAMES] = ram[PAUSED] = 0;
    ram[WHO_CLEARED] = ram[WHO_FAILED] = 0;
    ram[IN_LEVEL] = ram[PAUSE_ENABLED] = 1;
}

// Highest row that viruses may take, counted from the bottom.
int virus_limit(int level) { return level < 15 ? 9 : level < 17 ? 10 : level < 19 ? 11 : 12; }

// Virus colours exactly two cells away, one bit a colour.
unsigned colours_two_away(const u8* field, int cell) {
    unsigned colours = 0;
    const auto add = [&](int other) {
        if (field[other] != TILE_EMPTY) colours |= 1u << (field[other] & 3);
    };
    const int column = cell & (COLUMNS - 1);
    if (cell >= 2 * COLUMNS) add(cell - 2 * COLUMNS);
    if (cell < CELLS - 2 * COLUMNS) add(cell + 2 * COLUMNS);
    if (column >= 2) add(cell - 2);
    if (column < COLUMNS - 2) add(cell + 2);
    return colours & ALL_COLOURS;
}

int draw_virus_cell(u8* ram, int level) {
    do {
        step_rng(ram);
    } while ((ram[RNG_HIGH] & 0x0F) > virus_limit(level));
    return (TOP_Y - (ram[RNG_HIGH] & 0x0F)) * COLUMNS + (ram[RNG_LOW] & (COLUMNS - 1));
}

int draw_virus_colour(u8* ram, int to_place) {
    constexpr u8 random_colours[16] = {0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 1};
    if ((to_place & 3) != 3) return to_place & 3;
    step_rng(ram);
    return random_colours[ram[RNG_LOW] & 0x0F];
}

// One attempt of one player, if it has viruses to place; returns the cell, or -1 for none.
int attempt_virus(const Seat& seat) {
    u8* field = seat.field();
    Player& player = seat.player();
    int placed = -1;
    if (player.viruses_to_place != 0) {
        int cell = draw_virus_cell(seat.ram, player.level);
        int colour = draw_virus_colour(seat.ram, player.viruses_to_place);
        for (; cell < CELLS && placed < 0; ++cell) {
            if (field[cell] != TILE_EMPTY) continue;
            const unsigned near = colours_two_away(field, cell);
            if (near == ALL_COLOURS) continue;
            while ((near >> colour & 1) != 0) colour = (colour + NUM_COLOURS - 1) % NUM_COLOURS;
            field[cell] = static_cast<u8>(TILE_VIRUS | colour);
            placed = cell;
        }
    }
    if (placed >= 0) {
        --player.viruses_to_place;
        player.viruses = add_one_bcd(player.viruses);
        player.status = static_cast<u8>(placed / COLUMNS);
    }
    load_scratch(seat);
    return placed;
}

// At equal levels only player 1 draws, and player 2 gets a copy; otherwise both draw from the
// one RNG, player 1 first.
void fill_frame(u8* ram) {
    const Seat first{ram, 0}, second{ram, 1};
    save_choices(ram);
    const int placed = attempt_virus(first);
    if (first.player().level != second.player().level) {
        attempt_virus(second);
        return;
    }
    if (placed >= 0) second.field()[placed] = first.field()[placed];
    copy_scratch(second);
}

}  // namespace

void load_scratch(const Seat& seat) {
    u8* ram = seat.ram;
    std::memcpy(ram + CUR, &seat.player(), PLAYER_BLOCK_SIZE);
    ram[FIELD_POINTER_LOW] = 0;
    ram[FIELD_POINTER_HIGH] = static_cast<u8>((seat.index == 0 ? FIELD1 : FIELD2) >> 8);
    ram[PRESSED] = ram[PAD1_PRESSED + seat.index];
    ram[HELD] = ram[PAD1_HELD + seat.index];
}

void clear_fields(u8* ram) { std::memset(ram + FIELD1, TILE_EMPTY, 0x200); }

void setup_mode(u8* ram) {
    clear_round(ram);
    fill_reserve(ram);
    Player& player = scratch(ram);
    // Twice, so that reserve entry 1 is the first to fall.
    draw_next_capsule(ram, player);
    draw_next_capsule(ram, player);
    player.capsules_low = 1;
    save_choices(ram);
    for (int index = 0; index < 2; ++index) {
        const Seat seat{ram, index};
        copy_scratch(seat);
        seat.player().viruses_to_place = static_cast<u8>((seat.player().level + 1) * 4);
    }
    clear_fields(ram);
    ram[MODE] = MODE_INTRO;
}

void intro_mode(u8* ram) {
    if (ram[WAIT_FRAMES] != 0) {
        if (--ram[WAIT_FRAMES] == 0) ram[MODE] = MODE_PLAY;
        return;
    }
    fill_frame(ram);
    Player& first = Seat{ram, 0}.player();
    Player& second = Seat{ram, 1}.player();
    if ((first.viruses_to_place | second.viruses_to_place) != 0) return;
    ram[WAIT_FRAMES] = INTRO_WAIT;
    first.status = second.status = scratch(ram).status = STATUS_REDRAW;
}

void enter_setup(u8* ram, std::uint16_t rng_word, u8 frame_counter, const u8 levels[2],
                 const u8 speeds[2], bool solo) {
    std::memset(ram, 0, RAM_SIZE);
    clear_fields(ram);
    ram[RNG_HIGH] = static_cast<u8>(rng_word >> 8);
    ram[RNG_LOW] = static_cast<u8>(rng_word);
    ram[FRAME_COUNTER] = frame_counter;
    ram[MODE] = MODE_SETUP;
    ram[CROWNS_NEEDED] = CROWNS_TO_WIN;
    ram[NUM_PLAYERS] = 2;
    ram[MUSIC] = MUSIC_OFF;
    ram[SOLO] = solo;
    for (int seat = 0; seat < 2; ++seat) {
        Player& player = Seat{ram, seat}.player();
        player.level = levels[seat];
        player.speed = speeds[seat];
        player.status = STATUS_IDLE;
    }
}

}  // namespace pill
