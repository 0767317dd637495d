// Ends of rounds and sets: crowns, waits, words, and player 1's START.
#include "rules.hpp"

namespace pill {
namespace {

using namespace layout;

constexpr u8 CLEAR_WAIT = 64;
constexpr u8 TOP_OUT_WAIT = 64;
constexpr u8 SHORT_WAIT = 16;
constexpr u8 FINAL_WAIT = 128;

// Values of PHASE in modes 4 and 5.
enum ClearPhase : u8 { RUNNING = 0, CLEARED = 1, START_WAITS = 4, WIPED = 5 };
enum TopOutPhase : u8 { SEEN = 0, FALLEN = 1, CONTINUE = 3 };

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

void announce_clear(u8* ram) {
    const bool first = Seat{ram, 0}.player().viruses == 0;
    const bool second = Seat{ram, 1}.player().viruses == 0;
    const int winner = first == second ? 0 : first ? 1 : 2;
    ram[WHO_CLEARED] = static_cast<u8>(winner);
    show_result(ram, winner);
}

}  // namespace

bool has_won_set(const u8* ram, const Player& player) {
    return player.crowns >= ram[CROWNS_NEEDED];
}

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
    if (has_won_set(ram, Seat{ram, 0}.player()) || has_won_set(ram, Seat{ram, 1}.player())) {
        enter_end_mode(ram);
    }
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

}  // namespace pill
