// A falling capsule: gravity or soft drop, then left and right, then turns.
#include <algorithm>

#include "rules.hpp"

namespace pill {
namespace {

using namespace layout;

constexpr u8 DAS_CHARGED = 16;
constexpr u8 DAS_RELOAD = 10;
constexpr u8 DAS_BLOCKED = 15;
constexpr u8 SIDEWAYS = BUTTON_LEFT | BUTTON_RIGHT;
constexpr u8 DPAD_MASK = SIDEWAYS | BUTTON_DOWN | BUTTON_UP;

// Frames a row, less one.
u8 gravity_limit(const Player& player) {
    constexpr int bases[] = {SPEED_BASE_LOW, SPEED_BASE_MED, SPEED_BASE_HI, SPEED_BASE_HI};
    const int index = (bases[player.speed & 3] + player.speed_ups) & 0xFF;
    return GRAVITY_TABLE[std::min(index, NUM_GRAVITY_INDICES - 1)];
}

void fall(const Seat& seat, u8 held) {
    Player& player = seat.player();
    const bool soft_drop = (seat.ram[FRAME_COUNTER] & 1) != 0 && (held & DPAD_MASK) == BUTTON_DOWN;
    if (!soft_drop) {
        ++player.gravity_counter;
        player.speed_ups_copy = player.speed_ups;
        if (player.gravity_counter <= gravity_limit(player)) return;
    }
    player.gravity_counter = 0;
    if (pose_is_free(seat.field(), player.x, player.y - 1, player.rotation)) {
        --player.y;
    } else {
        stamp_capsule(seat.field(), player);
        player.next_action = ACTION_PLACED;
    }
}

void shift(const Seat& seat, u8 pressed, u8 held) {
    if ((held & SIDEWAYS) == 0) return;
    Player& player = seat.player();
    if ((pressed & SIDEWAYS) != 0) {
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
    // Walls leave the counter alone; right is tested before left, and both can act.
    const int last_column = COLUMNS - 2 + (player.rotation & 1);
    if ((held & BUTTON_RIGHT) != 0 && player.x != last_column) move(player.x + 1);
    if ((held & BUTTON_LEFT) != 0 && player.x != 0) move(player.x - 1);
}

// Turn by one step. `rotation` and `x` are the pose to go back to where there is no room.
void turn_by(const Seat& seat, int direction, u8 held, u8 rotation, u8 x) {
    Player& player = seat.player();
    player.rotation = static_cast<u8>((player.rotation + direction) & 3);
    const bool flat = (player.rotation & 1) == 0;
    const auto fits = [&](int column) {
        return pose_is_free(seat.field(), column, player.y, player.rotation);
    };
    if (fits(player.x)) {
        const bool double_left = flat && (held & BUTTON_LEFT) != 0;
        if (double_left && fits(player.x - 1)) --player.x;
    } else if (flat && fits(player.x - 1)) {
        --player.x;
    } else {
        player.rotation = rotation;
        player.x = x;
    }
}

}  // namespace

void run_falling(const Seat& seat) {
    const u8 pressed = seat.ram[PAD1_PRESSED + seat.index];
    const u8 held = seat.ram[PAD1_HELD + seat.index];
    fall(seat, held);
    if (held == 0) return;
    shift(seat, pressed, held);
    const u8 rotation = seat.player().rotation;
    const u8 x = seat.player().x;
    if ((pressed & BUTTON_A) != 0) turn_by(seat, -1, held, rotation, x);
    if ((pressed & BUTTON_B) != 0) turn_by(seat, 1, held, rotation, x);
}

}  // namespace pill
