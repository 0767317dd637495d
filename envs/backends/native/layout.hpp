// Generated from envs/game/layout.py by `python -m envs.game.layout_export`.
// Change that file, not this one.
#pragma once

#include <cstdint>

namespace pill::layout {

constexpr int RAM_SIZE = 2048;

// Blocks
constexpr int PLAYER1 = 0x300;  // player block of player 1
constexpr int PLAYER2 = 0x380;  // player block of player 2
constexpr int CUR = 0x80;  // block of the player being processed
constexpr int PLAYER_BLOCK_SIZE = 0x30;
constexpr int FIELD1 = 0x400;  // bottle of player 1
constexpr int FIELD2 = 0x500;  // bottle of player 2
constexpr int RESERVE = 0x780;  // capsule reserve
constexpr int RESERVE_SIZE = 0x80;
constexpr int TREE_PAGE = 0xFE00;  // page of the CPU opponent's tree, in the cartridge
constexpr int TREE_PAGE_SIZE = 0xBE;

// Addresses
constexpr int RNG_HIGH = 0x17;  // RNG, high byte of the 16-bit shift register
constexpr int RNG_LOW = 0x18;  // RNG, low byte
constexpr int NMI_DONE = 0x33;  // set to 1 by the NMI; the main loop waits on it
constexpr int FRAME_COUNTER = 0x43;  // frame counter, +1 per NMI, 8 bit
constexpr int MODE = 0x46;  // mode of the program, see `Mode`
constexpr int WAIT_FRAMES = 0x51;  // frames left of the current wait
constexpr int PAUSE_ENABLED = 0x54;  // 1 while a round may be paused
constexpr int WHO_CLEARED = 0x55;  // 1/2, set 64 frames after a clear; 0 on a draw
constexpr int FIELD_POINTER_LOW = 0x57;  // field pointer, low byte
constexpr int FIELD_POINTER_HIGH = 0x58;  // field pointer, high byte: 4 player 1, 5 player 2
constexpr int PRESSED = 0x5B;  // current player's newly pressed buttons
constexpr int HELD = 0x5C;  // current player's held buttons
constexpr int IN_LEVEL = 0x5D;  // 1 while a level is played, 0 while paused
constexpr int WHO_FAILED = 0x61;  // 1/2, who topped out; 0 none or draw
constexpr int OPTIONS_CURSOR = 0x65;  // options section: 0 level, 1 speed, 2 music
constexpr int PAD1_PRESSED = 0xF5;  // player 1's newly pressed buttons
constexpr int PAD2_PRESSED = 0xF6;  // player 2's newly pressed buttons
constexpr int PAD1_HELD = 0xF7;  // player 1's held buttons
constexpr int PAD2_HELD = 0xF8;  // player 2's held buttons
constexpr int SPRITES = 0x200;  // sprite page copied to the PPU every frame
constexpr int PAUSED = 0x68D;  // 5 while paused
constexpr int NO_SPEED_UPS = 0x723;  // 1: capsules never speed up
constexpr int NO_FALL = 0x724;  // 1: nothing falls after clears
constexpr int CROWNS_NEEDED = 0x725;  // crowns that win the set; 3 on entering options
constexpr int NUM_PLAYERS = 0x727;  // number of players
constexpr int MUSIC = 0x731;  // music choice: 2 off
constexpr int SAVED_CROWNS = 0x732;  // save area between rounds: crowns
constexpr int SAVED_LEVELS = 0x734;  // save area between rounds: levels
constexpr int SAVED_SPEEDS = 0x736;  // save area between rounds: speeds
constexpr int DEMO = 0x741;  // demo flag, 0 none

// Addresses of Pill Duel alone
constexpr int RENDER_OFF = 0x760;  // nonzero: the PPU is never switched on (training)
constexpr int SOLO = 0x761;  // nonzero: player 2's bottle is inert
constexpr int PHASE = 0x762;  // step within the current mode (screen upload, round end)
constexpr int CPU_SEATS = 0x763;  // by seat, nonzero: the CPU plays it from its next capsule on
constexpr int CPU_DECISION = 0x765;  // by seat: 0 none, 1 asked for, 2 made; see `CpuDecision`
constexpr int CPU_ROTATION = 0x767;  // by seat: rotation that the CPU turns its capsule to
constexpr int CPU_COLUMN = 0x769;  // by seat: column that the CPU moves its capsule to
constexpr int CPU_HELD = 0x76B;  // by seat: buttons that the CPU holds
constexpr int CPU_FRAMES = 0x76D;  // by seat: frames of control over the falling capsule so far

// Offsets in a player block
constexpr int P_STATUS = 0x00;  // field row being redrawn, 0F down to 00, FF idle
constexpr int P_COLOUR_FIRST = 0x01;  // falling capsule, first colour
constexpr int P_COLOUR_SECOND = 0x02;  // falling capsule, second colour
constexpr int P_X = 0x05;  // falling capsule, left column 0..7
constexpr int P_Y = 0x06;  // falling capsule, bottom cell: 15 top row, 0 bottom row
constexpr int P_PLACED_STEP = 0x07;  // step of the placed pipeline, 0..8
constexpr int P_TOPPED_OUT = 0x09;  // nonzero: this player topped out
constexpr int P_SPEED_UPS = 0x0A;  // speed-ups so far, 0..49
constexpr int P_SPEED = 0x0B;  // speed: 0 LOW, 1 MED, 2 HI
constexpr int P_LAST_RUN = 0x0E;  // length of the last run, 0-based
constexpr int P_COMBO = 0x0F;  // lines cleared by this capsule so far
constexpr int P_CAPSULES_LOW = 0x10;  // capsule count, BCD, tens and units
constexpr int P_CAPSULES_HIGH = 0x11;  // capsule count, BCD, hundreds
constexpr int P_GRAVITY_COUNTER = 0x12;  // frames since the last row, counting up
constexpr int P_DAS_COUNTER = 0x13;  // auto-repeat counter of left and right
constexpr int P_MATCHED = 0x14;  // nonzero: this pass found a line
constexpr int P_LAST_CHAIN_ROW = 0x15;  // row of the last chain (unused)
constexpr int P_LEVEL = 0x16;  // virus level 0..20
constexpr int P_NEXT_ACTION = 0x17;  // what the next frame does, see `NextAction`
constexpr int P_GARBAGE_OUT = 0x18;  // garbage queued by this player for the opponent
constexpr int P_NEXT_FIRST = 0x1A;  // next capsule, first colour
constexpr int P_NEXT_SECOND = 0x1B;  // next capsule, second colour
constexpr int P_CROWNS = 0x1E;  // rounds won in this set
constexpr int P_SPEED_UPS_COPY = 0x20;  // copy of the speed-ups, made on each frame of gravity
constexpr int P_RUN_TOTAL = 0x21;  // chain length total of this pass
constexpr int P_NEXT_ROTATION = 0x22;  // next capsule, rotation
constexpr int P_NEXT_SIZE = 0x23;  // next capsule, size in cells
constexpr int P_VIRUSES = 0x24;  // viruses left, packed BCD
constexpr int P_ROTATION = 0x25;  // falling capsule, rotation 0..3
constexpr int P_SIZE = 0x26;  // falling capsule, size in cells
constexpr int P_RESERVE_INDEX = 0x27;  // reserve index of the capsule after the next, 0..127
constexpr int P_VIRUSES_TO_PLACE = 0x28;  // viruses still to place during the intro
constexpr int P_ATTACK_COLOURS = 0x29;  // attack colour of line 1 (2, 3, 4 follow)
constexpr int P_SCORE_MULTIPLIER = 0x2D;  // score multiplier (1P only)

// The same in the scratch block of the current player
constexpr int CUR_STATUS = 0x80;
constexpr int CUR_COLOUR_FIRST = 0x81;
constexpr int CUR_COLOUR_SECOND = 0x82;
constexpr int CUR_X = 0x85;
constexpr int CUR_Y = 0x86;
constexpr int CUR_PLACED_STEP = 0x87;
constexpr int CUR_TOPPED_OUT = 0x89;
constexpr int CUR_SPEED_UPS = 0x8A;
constexpr int CUR_SPEED = 0x8B;
constexpr int CUR_LAST_RUN = 0x8E;
constexpr int CUR_COMBO = 0x8F;
constexpr int CUR_CAPSULES_LOW = 0x90;
constexpr int CUR_CAPSULES_HIGH = 0x91;
constexpr int CUR_GRAVITY_COUNTER = 0x92;
constexpr int CUR_DAS_COUNTER = 0x93;
constexpr int CUR_MATCHED = 0x94;
constexpr int CUR_LAST_CHAIN_ROW = 0x95;
constexpr int CUR_LEVEL = 0x96;
constexpr int CUR_NEXT_ACTION = 0x97;
constexpr int CUR_GARBAGE_OUT = 0x98;
constexpr int CUR_NEXT_FIRST = 0x9A;
constexpr int CUR_NEXT_SECOND = 0x9B;
constexpr int CUR_CROWNS = 0x9E;
constexpr int CUR_SPEED_UPS_COPY = 0xA0;
constexpr int CUR_RUN_TOTAL = 0xA1;
constexpr int CUR_NEXT_ROTATION = 0xA2;
constexpr int CUR_NEXT_SIZE = 0xA3;
constexpr int CUR_VIRUSES = 0xA4;
constexpr int CUR_ROTATION = 0xA5;
constexpr int CUR_SIZE = 0xA6;
constexpr int CUR_RESERVE_INDEX = 0xA7;
constexpr int CUR_VIRUSES_TO_PLACE = 0xA8;
constexpr int CUR_ATTACK_COLOURS = 0xA9;
constexpr int CUR_SCORE_MULTIPLIER = 0xAD;

// Codes
constexpr int COLOUR_YELLOW = 0x00;
constexpr int COLOUR_RED = 0x01;
constexpr int COLOUR_BLUE = 0x02;
constexpr int TILE_TOP = 0x40;
constexpr int TILE_BOTTOM = 0x50;
constexpr int TILE_LEFT = 0x60;
constexpr int TILE_RIGHT = 0x70;
constexpr int TILE_SINGLE = 0x80;
constexpr int TILE_MATCHED = 0xB0;
constexpr int TILE_VIRUS = 0xD0;
constexpr int TILE_CLEARED = 0xF0;
constexpr int TILE_EMPTY = 0xFF;
constexpr int BUTTON_RIGHT = 0x01;
constexpr int BUTTON_LEFT = 0x02;
constexpr int BUTTON_DOWN = 0x04;
constexpr int BUTTON_UP = 0x08;
constexpr int BUTTON_START = 0x10;
constexpr int BUTTON_SELECT = 0x20;
constexpr int BUTTON_B = 0x40;
constexpr int BUTTON_A = 0x80;
constexpr int MODE_TITLE = 0x00;
constexpr int MODE_OPTIONS = 0x01;
constexpr int MODE_TO_LEVEL = 0x02;
constexpr int MODE_SETUP = 0x03;
constexpr int MODE_PLAY = 0x04;
constexpr int MODE_TOP_OUT = 0x05;
constexpr int MODE_END = 0x07;
constexpr int MODE_INTRO = 0x08;
constexpr int ACTION_FALLING = 0x00;
constexpr int ACTION_PLACED = 0x01;
constexpr int ACTION_CHECK_ATTACK = 0x02;
constexpr int ACTION_PILL_SENT = 0x03;
constexpr int ACTION_STEP = 0x05;
constexpr int ACTION_SEND_PILL = 0x06;
constexpr int CPU_NONE = 0x00;
constexpr int CPU_ASKED = 0x01;
constexpr int CPU_MADE = 0x02;
constexpr int SPEED_LOW = 0x00;
constexpr int SPEED_MED = 0x01;
constexpr int SPEED_HI = 0x02;

// Numbers of the rules
constexpr int ROWS = 0x10;
constexpr int COLUMNS = 0x08;
constexpr int CELLS = 0x80;
constexpr int NUM_COLOURS = 0x03;
constexpr int NUM_CAPSULE_IDS = 0x09;
constexpr int ATTACK_COLOURS_SIZE = 0x04;
constexpr int MAX_LEVEL = 0x14;
constexpr int MAX_SPEED_UPS = 0x31;
constexpr int CROWNS_TO_WIN = 0x03;
constexpr int SPEED_BASE_LOW = 0x0F;  // gravity index before speed-ups at LOW
constexpr int SPEED_BASE_MED = 0x19;  // gravity index before speed-ups at MED
constexpr int SPEED_BASE_HI = 0x1F;  // gravity index before speed-ups at HI
constexpr int NUM_GRAVITY_INDICES = 0x51;

// Frames a row, less one, by gravity index.
constexpr std::uint8_t GRAVITY_TABLE[81] = {
    69, 67, 65, 63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39,
    37, 35, 33, 31, 29, 27, 25, 23, 21, 19, 18, 17, 16, 15, 14, 13,
    12, 11, 10,  9,  9,  8,  8,  7,  7,  6,  6,  5,  5,  5,  5,  5,
     5,  5,  5,  5,  5,  5,  5,  4,  4,  4,  4,  4,  3,  3,  3,  3,
     3,  2,  2,  2,  2,  2,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,
     0,
};

}  // namespace pill::layout
