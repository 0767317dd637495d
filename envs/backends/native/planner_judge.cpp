#include "planner_judge.hpp"

#include <cstring>
#include <vector>

#include "game.hpp"

namespace pill {
namespace {

using namespace layout;
using u8 = std::uint8_t;

// START and SELECT aside, all that a pad can say: left or right, A, B, and whether DOWN is the only
// direction.
constexpr u8 DIRECTIONS[] = {0, BUTTON_LEFT, BUTTON_RIGHT, BUTTON_DOWN};
// Fewer buttons first, so that what is down least is known first.
constexpr u8 TURNS[] = {0, BUTTON_A, BUTTON_B, BUTTON_A | BUTTON_B};
constexpr u8 SIDES = BUTTON_LEFT | BUTTON_RIGHT;
constexpr u8 REMEMBERED = SIDES | BUTTON_A | BUTTON_B;

// All that a frame of a falling capsule reads and changes.
struct State {
    u8 x, y, rotation, gravity, das, held;
};

constexpr int STATE_BITS = 3 + 4 + 2 + 7 + 5 + 4 + 1;

std::uint32_t key_of(const State& state, u8 frame_counter) {
    const u8 held = static_cast<u8>((state.held & 3) | (state.held >> 6 & 3) << 2);
    std::uint32_t key = state.x;
    key = key << 4 | state.y;
    key = key << 2 | state.rotation;
    key = key << 7 | (state.gravity & 127);
    key = key << 5 | (state.das & 31);
    key = key << 4 | held;
    return key << 1 | (frame_counter & 1);
}

// A solo round in which one capsule falls; its first half is yellow, its second red.
class Stage {
public:
    explicit Stage(const FallingCapsule& capsule) : capsule_(capsule) {
        ram_[MODE] = MODE_PLAY;
        ram_[SOLO] = 1;
        ram_[CROWNS_NEEDED] = CROWNS_TO_WIN;
        Player& player = seat_.player();
        player.colour_first = COLOUR_YELLOW;
        player.colour_second = COLOUR_RED;
        player.viruses = 1;
        // The cartridge adds in a byte, so that indices below LOW are reached by going round.
        player.speed = SPEED_LOW;
        player.speed_ups = static_cast<u8>(capsule.gravity_index - SPEED_BASE_LOW);
        std::memcpy(seat_.field(), capsule.field, CELLS);
    }

    State start() const {
        return {capsule_.x,       capsule_.y,           capsule_.rotation,
                capsule_.gravity_counter, capsule_.das_counter, capsule_.held};
    }

    // Run one frame from `state`; returns whether the capsule still falls.
    bool step(State& state, u8 frame_counter, u8 pad) {
        Player& player = seat_.player();
        player.x = state.x;
        player.y = state.y;
        player.rotation = state.rotation;
        player.gravity_counter = state.gravity;
        player.das_counter = state.das;
        player.next_action = ACTION_FALLING;
        ram_[PAD1_HELD] = state.held;
        ram_[FRAME_COUNTER] = frame_counter;
        step_frame(ram_, pad, 0);
        state = {player.x, player.y, player.rotation, player.gravity_counter, player.das_counter,
                 pad};
        return player.next_action == ACTION_FALLING;
    }

    // The pose in which the capsule has just locked, by the tiles; takes them out again.
    int take_lock() {
        int pose = -1;
        u8* field = seat_.field();
        for (int cell = 0; cell < CELLS; ++cell) {
            if (field[cell] == capsule_.field[cell]) continue;
            const u8 type = field[cell] & 0xF0;
            const bool swapped = (field[cell] & 0x0F) != COLOUR_YELLOW;
            if (type == TILE_LEFT) pose = (swapped ? 2 : 0) * CELLS + cell;
            if (type == TILE_BOTTOM) pose = (swapped ? 3 : 1) * CELLS + cell;
        }
        std::memcpy(field, capsule_.field, CELLS);
        return pose;
    }

private:
    const FallingCapsule& capsule_;
    u8 ram_[RAM_SIZE] = {};
    Seat seat_{ram_, 0};
};

class Walk {
public:
    Walk(const FallingCapsule& capsule, std::uint16_t* frames)
        : stage_(capsule), frames_(frames), seen_(std::size_t{1} << STATE_BITS) {}

    void run(u8 frame_counter) {
        std::vector<State> layer{stage_.start()}, next;
        for (int frame = 1; !layer.empty(); ++frame, ++frame_counter) {
            next.clear();
            for (const State& state : layer) {
                for (const u8 direction : DIRECTIONS) {
                    for (const u8 turn : TURNS) {
                        press(state, frame_counter, direction | turn, frame, next);
                    }
                }
            }
            layer.swap(next);
        }
    }

private:
    void press(State state, u8 frame_counter, u8 pad, int frame, std::vector<State>& next) {
        if (!stage_.step(state, frame_counter, pad)) {
            const int pose = stage_.take_lock();
            if (pose >= 0 && frames_[pose] == 0) frames_[pose] = static_cast<std::uint16_t>(frame);
            return;
        }
        state.held &= REMEMBERED;
        // With no side down the next press of one resets the counter, whatever it is.
        if ((state.held & SIDES) == 0) state.das = 0;
        // With A or B down a state can do no more than without, if that was reached as early.
        State released = state;
        released.held &= SIDES;
        const std::size_t key = key_of(state, frame_counter + 1);
        if (seen_[key] || seen_[key_of(released, frame_counter + 1)]) return;
        seen_[key] = true;
        next.push_back(state);
    }

    Stage stage_;
    std::uint16_t* frames_;
    std::vector<bool> seen_;
};

bool can_start(const FallingCapsule& capsule) {
    return lies_inside(capsule) &&
           pose_is_free(capsule.field, capsule.x, capsule.y, capsule.rotation);
}

}  // namespace

void walk_poses(const FallingCapsule& capsule, std::uint16_t* frames) {
    std::memset(frames, 0, NUM_POSES * sizeof *frames);
    if (can_start(capsule)) Walk(capsule, frames).run(capsule.frame_counter);
}

Lock play_script(const FallingCapsule& capsule, const u8* pads, int frames) {
    if (!can_start(capsule)) return {};
    Stage stage(capsule);
    State state = stage.start();
    u8 frame_counter = capsule.frame_counter;
    for (int frame = 1; frame <= frames; ++frame, ++frame_counter) {
        if (!stage.step(state, frame_counter, pads[frame - 1])) return {stage.take_lock(), frame};
    }
    return {};
}

}  // namespace pill
