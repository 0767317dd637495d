// One frame of the game, in the cartridge's order: the NMI, then the current mode.
//
// Order and oddities follow the cartridge (integrations/PillDuel-Nes-v0/src); `docs/game.md`
// names each fact and the test that holds it. The other rule files are called from here.
#include "game.hpp"

#include "rules.hpp"

namespace pill {
namespace {

using namespace layout;

constexpr u8 SOFT_RESET = BUTTON_A | BUTTON_B | BUTTON_SELECT | BUTTON_START;
constexpr u8 PAUSED_VALUE = 5;

// Redraw a row of each bottle, count the frame, read the pads.
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

void run_action(const Seat& seat) {
    Player& player = seat.player();
    switch (player.next_action) {
        case ACTION_FALLING:
            return run_falling(seat);
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

// START of player 1 pauses and goes on; all four buttons together reset to the title.
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

void play_mode(u8* ram) {
    if (ram[PAUSED] != 0) return check_pause(ram);
    if (ram[PHASE] != 0) return run_clear_phase(ram);
    const Seat first{ram, 0}, second{ram, 1};
    run_action(first);
    // Tested before player 2 acts: at equal crowns player 1 wins the set.
    if (has_won_set(ram, first.player())) {
        load_scratch(first);
        return enter_end_mode(ram);
    }
    if (ram[SOLO] == 0) run_action(second);
    load_scratch(second);
    if (has_won_set(ram, second.player())) return enter_end_mode(ram);
    check_cleared(ram);
    check_topped_out(ram);
    check_pause(ram);
}

}  // namespace

void step_frame(u8* ram, u8 pad1, u8 pad2) {
    nmi(ram, pad1, pad2);
    switch (ram[MODE]) {
        case MODE_SETUP:
            return setup_mode(ram);
        case MODE_INTRO:
            return intro_mode(ram);
        case MODE_PLAY:
            return play_mode(ram);
        case MODE_TOP_OUT:
            return top_out_mode(ram);
        case MODE_END:
            return end_mode(ram);
        default:
            return;
    }
}

bool can_all_act(const u8* ram) {
    if (ram[MODE] != MODE_PLAY || ram[PLAYER1 + P_NEXT_ACTION] != ACTION_FALLING) return false;
    return ram[SOLO] != 0 || ram[PLAYER2 + P_NEXT_ACTION] == ACTION_FALLING;
}

}  // namespace pill
