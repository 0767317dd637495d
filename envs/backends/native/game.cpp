// Rules of a frame: pads, set-up, falling capsules, the placed pipeline, garbage, round ends.
//
// Order and oddities follow the cartridge (integrations/PillDuel-Nes-v0/src); `docs/game.md`
// names each fact and the test that holds it.
#include "game.hpp"

#include <cstring>

namespace pill {
namespace {

using namespace layout;
using u8 = std::uint8_t;

constexpr u8 STATUS_IDLE = 0xFF;
constexpr u8 STATUS_REDRAW = 0x0F;
constexpr int TOP_Y = ROWS - 1;
constexpr int SPAWN_X = 3;
constexpr u8 TYPE_MASK = 0xF0;
constexpr u8 COLOUR_MASK = 0x0F;
constexpr int MIN_RUN = 4;
constexpr int MIN_ATTACK = 2;
constexpr int MAX_ATTACK = 4;
constexpr u8 DAS_CHARGED = 16;
constexpr u8 DAS_RELOAD = 10;
constexpr u8 DAS_BLOCKED = 15;
constexpr u8 DPAD_MASK = BUTTON_RIGHT | BUTTON_LEFT | BUTTON_DOWN | BUTTON_UP;
constexpr u8 SOFT_RESET = BUTTON_A | BUTTON_B | BUTTON_SELECT | BUTTON_START;
constexpr u8 INTRO_WAIT = 128;
constexpr u8 CLEAR_WAIT = 64;
constexpr u8 TOP_OUT_WAIT = 64;
constexpr u8 SHORT_WAIT = 16;
constexpr u8 FINAL_WAIT = 128;
constexpr u8 PAUSED_VALUE = 5;
constexpr u8 CAPSULE_SIZE = 2;

// Steps of the placed pipeline that do something.
enum PlacedStep : u8 { AGAIN = 1, FALL = 3, FORGET = 4, SCAN_ROWS = 5, SCAN_COLUMNS = 6, UPDATE = 7, LEAVE = 8 };
// Phases of PHASE in each mode.
enum ClearPhase : u8 { RUNNING = 0, CLEARED = 1, START_WAITS = 4, WIPED = 5 };
enum TopOutPhase : u8 { SEEN = 0, FALLEN = 1, CONTINUE = 3 };

constexpr u8 SPEED_BASES[] = {SPEED_BASE_LOW, SPEED_BASE_MED, SPEED_BASE_HI};

u8 as_bcd_up(u8 value) {
    ++value;
    return (value & 0x0F) == 10 ? static_cast<u8>(value + 6) : value;
}

u8 as_bcd_down(u8 value) {
    return static_cast<u8>((value & 0x0F) == 0 ? value - 7 : value - 1);
}

// ---- randomness and set-up ------------------------------------------------------------------

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

void count_capsule(const u8* ram, Player& player) {
    player.capsules_low = as_bcd_up(player.capsules_low);
    if ((player.capsules_low & 0x0F) != 0) return;
    if (player.capsules_low == 0xA0) {
        player.capsules_low = 0;
        player.capsules_high = as_bcd_up(player.capsules_high);
    }
    if (ram[NO_SPEED_UPS] == 0 && player.speed_ups < MAX_SPEED_UPS) ++player.speed_ups;
}

void draw_next_capsule(const u8* ram, Player& player) {
    player.colour_first = player.next_first;
    player.colour_second = player.next_second;
    player.rotation = player.next_rotation;
    player.size = player.next_size;
    const u8 id = ram[RESERVE + (player.reserve_index & (RESERVE_SIZE - 1))];
    player.next_first = id / NUM_COLOURS;
    player.next_second = id % NUM_COLOURS;
    player.next_rotation = 0;
    player.next_size = CAPSULE_SIZE;
    player.reserve_index = (player.reserve_index + 1) & (RESERVE_SIZE - 1);
    player.combo = 0;
    player.x = SPAWN_X;
    player.y = TOP_Y;
    count_capsule(ram, player);
}

// Make a seat the player being processed: its block in the scratch area, its bottle and pad.
void load_scratch(const Seat& seat) {
    u8* ram = seat.ram;
    std::memcpy(ram + CUR, &seat.player(), PLAYER_BLOCK_SIZE);
    ram[FIELD_POINTER_LOW] = 0;
    ram[FIELD_POINTER_HIGH] = static_cast<u8>((seat.index == 0 ? FIELD1 : FIELD2) >> 8);
    ram[PRESSED] = ram[PAD1_PRESSED + seat.index];
    ram[HELD] = ram[PAD1_HELD + seat.index];
}

Player& scratch(u8* ram) { return *reinterpret_cast<Player*>(ram + CUR); }

void clear_fields(u8* ram) { std::memset(ram + FIELD1, TILE_EMPTY, 0x200); }

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

void setup_mode(u8* ram) {
    clear_round(ram);
    fill_reserve(ram);
    Player& player = scratch(ram);
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

// Highest row that viruses may take, counted from the bottom.
int virus_limit(int level) { return level < 15 ? 9 : level < 17 ? 10 : level < 19 ? 11 : 12; }

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
    return colours;
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
    constexpr unsigned ALL_COLOURS = 7;
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
        player.viruses = as_bcd_up(player.viruses);
        player.status = static_cast<u8>(placed / COLUMNS);
    }
    load_scratch(seat);
    return placed;
}

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

// ---- the falling capsule ----------------------------------------------------------------------

void lock_capsule(const Seat& seat) {
    Player& player = seat.player();
    stamp_capsule(seat.field(), player);
    player.next_action = ACTION_PLACED;
}

void fall(const Seat& seat, u8 held) {
    Player& player = seat.player();
    const bool soft_drop = (seat.ram[FRAME_COUNTER] & 1) != 0 && (held & DPAD_MASK) == BUTTON_DOWN;
    if (!soft_drop) {
        ++player.gravity_counter;
        player.speed_ups_copy = player.speed_ups;
        const int index = SPEED_BASES[player.speed] + player.speed_ups;
        if (player.gravity_counter <= GRAVITY_TABLE[index]) return;
    }
    player.gravity_counter = 0;
    if (player.y == 0 || !pose_is_free(seat.field(), player.x, player.y - 1, player.rotation)) {
        lock_capsule(seat);
    } else {
        --player.y;
    }
}

void shift(const Seat& seat, u8 pressed, u8 held) {
    constexpr u8 sideways = BUTTON_LEFT | BUTTON_RIGHT;
    if ((held & sideways) == 0) return;
    Player& player = seat.player();
    if ((pressed & sideways) != 0) {
        player.das_counter = 0;
    } else {
        if (++player.das_counter < DAS_CHARGED) return;
        player.das_counter = DAS_RELOAD;
    }
    const auto move = [&](int x) {
        if (pose_is_free(seat.field(), x, player.y, player.rotation)) {
            player.x = static_cast<u8>(x);
        } else {
            player.das_counter = DAS_BLOCKED;
        }
    };
    const int last_column = COLUMNS - 2 + (player.rotation & 1);
    if ((held & BUTTON_RIGHT) != 0 && player.x != last_column) move(player.x + 1);
    if ((held & BUTTON_LEFT) != 0 && player.x != 0) move(player.x - 1);
}

// Turn by one step. `rotation` and `x` are the pose to go back to where there is no room.
void turn_by(const Seat& seat, int direction, u8 held, u8 rotation, u8 x) {
    Player& player = seat.player();
    const u8* field = seat.field();
    player.rotation = static_cast<u8>((player.rotation + direction) & 3);
    const bool upright = (player.rotation & 1) != 0;
    if (upright && pose_is_free(field, player.x, player.y, player.rotation)) return;
    if (!upright) {
        if (player.x != COLUMNS - 1 && pose_is_free(field, player.x, player.y, player.rotation)) {
            const bool double_left = (held & BUTTON_LEFT) != 0 && player.x != 0;
            if (double_left && pose_is_free(field, player.x - 1, player.y, player.rotation)) {
                --player.x;
            }
            return;
        }
        if (player.x != 0 && pose_is_free(field, player.x - 1, player.y, player.rotation)) {
            --player.x;
            return;
        }
    }
    player.rotation = rotation;
    player.x = x;
}

void turn(const Seat& seat, u8 pressed, u8 held) {
    const u8 rotation = seat.player().rotation;
    const u8 x = seat.player().x;
    if ((pressed & BUTTON_A) != 0) turn_by(seat, -1, held, rotation, x);
    if ((pressed & BUTTON_B) != 0) turn_by(seat, 1, held, rotation, x);
}

// ---- from the lock to the next capsule ----------------------------------------------------------

void run_placed(const Seat& seat) {
    Player& player = seat.player();
    switch (player.placed_step) {
        case FALL:
            if (player.status != STATUS_IDLE) return;
            player.status = STATUS_REDRAW;
            if (!fall_pass(seat.field(), seat.ram[NO_FALL] == 0)) ++player.placed_step;
            return;
        case FORGET:
            player.matched = player.run_total = 0;
            ++player.placed_step;
            return;
        case SCAN_ROWS:
            ++player.placed_step;
            return scan_rows(seat.field(), player);
        case SCAN_COLUMNS:
            ++player.placed_step;
            return scan_columns(seat.field(), player);
        case UPDATE:
            update_field(seat.field());
            player.status = STATUS_REDRAW;
            player.placed_step = player.matched != 0 ? AGAIN : LEAVE;
            return;
        case LEAVE:
            player.placed_step = 0;
            player.next_action = ACTION_CHECK_ATTACK;
            return;
        default:
            ++player.placed_step;
    }
}

void drop_garbage(const Seat& seat, int size, const u8* colours) {
    const int gap = size == 2 ? 4 : 2;
    int column = seat.ram[FRAME_COUNTER] & (size == MAX_ATTACK ? 1 : 3);
    for (int tile = 0; tile < size; ++tile, column += gap) {
        seat.field()[column] = TILE_SINGLE | colours[tile];
    }
}

void check_attack(const Seat& seat) {
    Player& player = seat.player();
    Player& opponent = seat.opponent().player();
    if (player.combo >= MIN_ATTACK) player.garbage_out += player.combo;
    player.combo = 0;
    if (opponent.garbage_out < MIN_ATTACK) {
        player.next_action = ACTION_STEP;
        return;
    }
    const int size = opponent.garbage_out < MAX_ATTACK ? opponent.garbage_out : MAX_ATTACK;
    drop_garbage(seat, size, opponent.attack_colours);
    opponent.garbage_out = 0;
    player.next_action = ACTION_PLACED;
}

void spawn(const Seat& seat) {
    Player& player = seat.player();
    draw_next_capsule(seat.ram, player);
    player.next_action = ACTION_PILL_SENT;
    if (pose_is_free(seat.field(), player.x, player.y, player.rotation)) return;
    stamp_capsule(seat.field(), player);
    player.topped_out = 1;
}

void run_action(const Seat& seat) {
    Player& player = seat.player();
    switch (player.next_action) {
        case ACTION_FALLING: {
            const u8 pressed = seat.ram[PAD1_PRESSED + seat.index];
            const u8 held = seat.ram[PAD1_HELD + seat.index];
            fall(seat, held);
            if (held == 0) return;
            shift(seat, pressed, held);
            turn(seat, pressed, held);
            return;
        }
        case ACTION_PLACED:
            return run_placed(seat);
        case ACTION_CHECK_ATTACK:
            return check_attack(seat);
        case ACTION_STEP:
            player.next_action = ACTION_SEND_PILL;
            return;
        case ACTION_SEND_PILL:
            return spawn(seat);
        default:
            player.next_action = ACTION_FALLING;
    }
}

// ---- ends of rounds and sets ----------------------------------------------------------------

// The words shown in the bottles at the end, one row each.
constexpr int WORD_CELL = 6 * COLUMNS;
constexpr char WORDS[][COLUMNS + 1] = {"  WIN   ", "  LOSE  ", "  DRAW  ", "  GAME  ", "  OVER  "};
enum Word { WIN, LOSE, DRAW, GAME, OVER };
constexpr u8 GLYPH_A = 0x0A;

void show_word(const Seat& seat, Word word) {
    for (int column = 0; column < COLUMNS; ++column) {
        const char letter = WORDS[word][column];
        seat.field()[WORD_CELL + column] =
            letter == ' ' ? TILE_EMPTY : static_cast<u8>(letter - 'A' + GLYPH_A);
    }
    seat.player().status = STATUS_REDRAW;
}

void show_words(u8* ram, Word first, Word second) {
    show_word(Seat{ram, 0}, first);
    show_word(Seat{ram, 1}, second);
}

// `winner` is 1 or 2; 0 is a draw.
void show_result(u8* ram, int winner) {
    if (winner == 0) {
        show_words(ram, DRAW, DRAW);
    } else {
        show_words(ram, winner == 1 ? WIN : LOSE, winner == 1 ? LOSE : WIN);
    }
}

bool has_won_set(const u8* ram, const Player& player) { return player.crowns >= ram[CROWNS_NEEDED]; }

void enter_end_mode(u8* ram) {
    ram[MODE] = MODE_END;
    ram[PHASE] = 0;
    ram[PAUSE_ENABLED] = 0;
    ram[WAIT_FRAMES] = FINAL_WAIT;
}

void check_cleared(u8* ram) {
    const bool second = ram[SOLO] == 0 && Seat{ram, 1}.player().viruses == 0;
    if (Seat{ram, 0}.player().viruses != 0 && !second) return;
    ram[PHASE] = CLEARED;
    ram[WAIT_FRAMES] = CLEAR_WAIT;
    ram[PAUSE_ENABLED] = 0;
}

void check_topped_out(u8* ram) {
    if (ram[PHASE] != 0) return;
    Player& first = Seat{ram, 0}.player();
    Player& second = Seat{ram, 1}.player();
    if ((first.topped_out | second.topped_out) == 0) return;
    const bool both = first.topped_out != 0 && second.topped_out != 0;
    if (!both) ++(first.topped_out != 0 ? second : first).crowns;
    ram[WHO_FAILED] = both ? 0 : first.topped_out != 0 ? 1 : 2;
    ram[MODE] = MODE_TOP_OUT;
    ram[PHASE] = SEEN;
    ram[PAUSE_ENABLED] = 0;
}

void check_pause(u8* ram) {
    if (ram[PAD1_HELD] == SOFT_RESET) {
        ram[PAUSED] = ram[PHASE] = ram[IN_LEVEL] = ram[PAUSE_ENABLED] = 0;
        ram[MODE] = MODE_TITLE;
        return;
    }
    if (ram[PAUSE_ENABLED] == 0 || ram[PAD1_PRESSED] != BUTTON_START) return;
    ram[PAUSED] ^= PAUSED_VALUE;
    ram[IN_LEVEL] ^= 1;
}

void announce_clear(u8* ram) {
    const bool first = Seat{ram, 0}.player().viruses == 0;
    const bool second = Seat{ram, 1}.player().viruses == 0;
    const int winner = first == second ? 0 : first ? 1 : 2;
    ram[WHO_CLEARED] = static_cast<u8>(winner);
    show_result(ram, winner);
}

void run_clear_phase(u8* ram) {
    if (ram[PHASE] == START_WAITS) {
        if (ram[PAD1_PRESSED] != BUTTON_START) return;
        clear_fields(ram);
        Seat{ram, 0}.player().status = STATUS_REDRAW;
        Seat{ram, 1}.player().status = STATUS_REDRAW;
        ram[WAIT_FRAMES] = SHORT_WAIT;
        ++ram[PHASE];
        return;
    }
    if (--ram[WAIT_FRAMES] != 0) return;
    const u8 over = ram[PHASE]++;
    if (over == WIPED) {
        ram[PHASE] = RUNNING;
        check_topped_out(ram);  // of the frame of the clear: its winner is paid again
        if (ram[MODE] != MODE_TOP_OUT) ram[MODE] = MODE_SETUP;
        return;
    }
    ram[WAIT_FRAMES] = SHORT_WAIT;
    if (over == CLEARED) announce_clear(ram);
}

void top_out_mode(u8* ram) {
    if (ram[PHASE] == SEEN) {
        ram[WAIT_FRAMES] = TOP_OUT_WAIT;
        ++ram[PHASE];
        return;
    }
    if (ram[PHASE] == CONTINUE) {
        if (ram[PAD1_PRESSED] != BUTTON_START) return;
        ram[PHASE] = 0;
        ram[MODE] = MODE_SETUP;
        return;
    }
    if (--ram[WAIT_FRAMES] != 0) return;
    const u8 over = ram[PHASE]++;
    if (over != FALLEN) return;
    ram[WAIT_FRAMES] = SHORT_WAIT;
    show_result(ram, ram[WHO_FAILED] == 0 ? 0 : 3 - ram[WHO_FAILED]);
    const bool won = has_won_set(ram, Seat{ram, 0}.player()) || has_won_set(ram, Seat{ram, 1}.player());
    if (won) enter_end_mode(ram);
}

void end_mode(u8* ram) {
    if (ram[PHASE] == 0) {
        if (--ram[WAIT_FRAMES] != 0) return;
        ++ram[PHASE];
        show_words(ram, GAME, OVER);
    } else if (ram[PAD1_PRESSED] == BUTTON_START) {
        ram[PHASE] = 0;
        ram[MODE] = MODE_OPTIONS;
    }
}

// ---- one frame --------------------------------------------------------------------------------

// One frame of one player; returns whether this player has won the set.
bool play_seat(const Seat& seat) {
    if (seat.index == 0 || seat.ram[SOLO] == 0) run_action(seat);
    load_scratch(seat);
    return has_won_set(seat.ram, seat.player());
}

void play_mode(u8* ram) {
    if (ram[PAUSED] != 0) return check_pause(ram);
    if (ram[PHASE] != RUNNING) return run_clear_phase(ram);
    if (play_seat(Seat{ram, 0}) || play_seat(Seat{ram, 1})) return enter_end_mode(ram);
    check_cleared(ram);
    check_topped_out(ram);
    check_pause(ram);
}

void nmi(u8* ram, u8 pad1, u8 pad2) {
    for (int seat = 0; seat < 2; ++seat) {
        Player& player = Seat{ram, seat}.player();
        if (player.status < 0x80) --player.status;
    }
    ++ram[FRAME_COUNTER];
    ram[PAD1_PRESSED] = pad1 & ~ram[PAD1_HELD];
    ram[PAD2_PRESSED] = pad2 & ~ram[PAD2_HELD];
    ram[PAD1_HELD] = pad1;
    ram[PAD2_HELD] = pad2;
}

}  // namespace

bool pose_is_free(const u8* field, int x, int y, int rotation) {
    const int cell = (TOP_Y - y) * COLUMNS + x;
    if (field[cell] != TILE_EMPTY) return false;
    if ((rotation & 1) == 0) return field[cell + 1] == TILE_EMPTY;
    return cell < COLUMNS || field[cell - COLUMNS] == TILE_EMPTY;
}

void stamp_capsule(u8* field, Player& player) {
    player.status = static_cast<u8>(TOP_Y - player.y);
    const int cell = (TOP_Y - player.y) * COLUMNS + player.x;
    const bool swapped = (player.rotation & 2) != 0;
    const u8 pivot = swapped ? player.colour_second : player.colour_first;
    const u8 other = swapped ? player.colour_first : player.colour_second;
    if ((player.rotation & 1) == 0) {
        field[cell] = TILE_LEFT | pivot;
        field[cell + 1] = TILE_RIGHT | other;
    } else {
        field[cell] = TILE_BOTTOM | pivot;
        if (cell >= COLUMNS) field[cell - COLUMNS] = TILE_TOP | other;
    }
}

bool fall_pass(u8* field, bool falls) {
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
        if (type == TILE_RIGHT) {
            --cell;
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

namespace {

void mark_cell(u8& tile, Player& player) {
    if (tile >= TILE_VIRUS) {
        player.status = STATUS_REDRAW;
        player.viruses = as_bcd_down(player.viruses);
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

}  // namespace

void scan_rows(u8* field, Player& player) {
    for (int row = 0; row < ROWS; ++row) scan_line(field, row * COLUMNS, 1, COLUMNS, player);
}

void scan_columns(u8* field, Player& player) {
    for (int column = 0; column < COLUMNS; ++column) scan_line(field, column, COLUMNS, ROWS, player);
}

void update_field(u8* field) {
    const auto type_at = [&](int cell) {
        return cell < 0 || cell >= CELLS ? u8{0} : static_cast<u8>(field[cell] & TYPE_MASK);
    };
    for (int cell = CELLS - 1; cell >= 0; --cell) {
        const u8 tile = field[cell];
        const u8 type = tile & TYPE_MASK;
        if (tile == TILE_EMPTY || type == TILE_SINGLE || type > TILE_MATCHED) continue;
        bool alone = false;
        if (type == TILE_MATCHED) field[cell] = TILE_CLEARED | tile;
        if (type == TILE_TOP) alone = type_at(cell + COLUMNS) != TILE_BOTTOM;
        if (type == TILE_BOTTOM) alone = type_at(cell - COLUMNS) != TILE_TOP;
        if (type == TILE_LEFT) alone = type_at(cell + 1) != TILE_RIGHT;
        if (type == TILE_RIGHT) alone = type_at(cell - 1) != TILE_LEFT;
        if (alone) field[cell] = TILE_SINGLE | (tile & COLOUR_MASK);
    }
}

void enter_setup(u8* ram, std::uint16_t rng_word, u8 frame_counter, const u8 levels[2],
                 const u8 speeds[2], bool solo) {
    std::memset(ram, 0, RAM_SIZE);
    ram[RNG_HIGH] = static_cast<u8>(rng_word >> 8);
    ram[RNG_LOW] = static_cast<u8>(rng_word);
    ram[FRAME_COUNTER] = frame_counter;
    ram[MODE] = MODE_SETUP;
    ram[CROWNS_NEEDED] = CROWNS_TO_WIN;
    ram[NUM_PLAYERS] = 2;
    ram[MUSIC] = 2;
    ram[SOLO] = solo;
    for (int seat = 0; seat < 2; ++seat) {
        Player& player = Seat{ram, seat}.player();
        player.level = levels[seat];
        player.speed = speeds[seat];
        player.status = STATUS_IDLE;
    }
}

void step_frame(u8* ram, u8 pad1, u8 pad2) {
    nmi(ram, pad1, pad2);
    switch (ram[MODE]) {
        case MODE_SETUP: return setup_mode(ram);
        case MODE_INTRO: return intro_mode(ram);
        case MODE_PLAY: return play_mode(ram);
        case MODE_TOP_OUT: return top_out_mode(ram);
        case MODE_END: return end_mode(ram);
        default: return;
    }
}

}  // namespace pill
