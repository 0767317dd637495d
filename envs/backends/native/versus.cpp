// From the lock to the next capsule: the placed pipeline, garbage, the spawn.
#include "rules.hpp"

namespace pill {
namespace {

using namespace layout;

constexpr int SPAWN_X = 3;
constexpr u8 CAPSULE_SIZE = 2;
constexpr int MIN_ATTACK = 2;
constexpr int MAX_ATTACK = 4;

// Steps of the placed pipeline that do something; the others pass a frame.
enum PlacedStep : u8 {
    AGAIN = 1,
    FALL = 3,
    FORGET = 4,
    SCAN_ROWS = 5,
    SCAN_COLUMNS = 6,
    UPDATE = 7,
    LEAVE = 8,
};

void count_capsule(const u8* ram, Player& player) {
    player.capsules_low = add_one_bcd(player.capsules_low);
    if ((player.capsules_low & 0x0F) != 0) return;
    if (player.capsules_low == 0xA0) {
        player.capsules_low = 0;
        player.capsules_high = add_one_bcd(player.capsules_high);
    }
    if (ram[NO_SPEED_UPS] == 0 && player.speed_ups < MAX_SPEED_UPS) ++player.speed_ups;
}

void drop_garbage(const Seat& seat, int size, const u8* colours) {
    const int gap = size == 2 ? 4 : 2;
    int column = seat.ram[FRAME_COUNTER] & (size == MAX_ATTACK ? 1 : 3);
    for (int tile = 0; tile < size; ++tile, column += gap) {
        seat.field()[column] = TILE_SINGLE | colours[tile];
    }
}

}  // namespace

void run_placed(const Seat& seat) {
    Player& player = seat.player();
    switch (player.placed_step) {
        case FALL:
            if (player.status != STATUS_IDLE) return;  // pieces wait for the redraw
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

void spawn(const Seat& seat) {
    Player& player = seat.player();
    draw_next_capsule(seat.ram, player);
    player.next_action = ACTION_PILL_SENT;
    if (pose_is_free(seat.field(), player.x, player.y, player.rotation)) return;
    stamp_capsule(seat.field(), player);
    player.topped_out = 1;
}

}  // namespace pill
