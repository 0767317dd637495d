// One game of Pill Duel, frame by frame, on an image of the console's RAM.
//
// The image is the whole state: every function takes the RAM and changes it as the cartridge
// does, so a picture of the game passes freely between the simulator, the emulator and tests.
// Covered are the modes from set-up to the end of the set; title and options stand still.
// Whatever bytes an image holds, no function reads or writes outside it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bottle.hpp"
#include "layout.hpp"
#include "player.hpp"

namespace pill {

// View of one seat of a RAM image; cheap to make, owns nothing.
struct Seat {
    std::uint8_t* ram;
    int index;

    Player& player() const { return *reinterpret_cast<Player*>(ram + base()); }
    std::uint8_t* field() const { return ram + (index == 0 ? layout::FIELD1 : layout::FIELD2); }
    Seat opponent() const { return Seat{ram, 1 - index}; }
    std::size_t base() const { return index == 0 ? layout::PLAYER1 : layout::PLAYER2; }
};

// Run one frame with both pads held as given (`layout::BUTTON_*` bits).
void step_frame(std::uint8_t* ram, std::uint8_t pad1, std::uint8_t pad2);

// Write what the RAM holds on entering set-up, on a cleared image: the entry to a round.
void enter_setup(std::uint8_t* ram, std::uint16_t rng_word, std::uint8_t frame_counter,
                 const std::uint8_t levels[2], const std::uint8_t speeds[2], bool solo);

// Does a round run in which every active seat has a falling capsule?
bool can_all_act(const std::uint8_t* ram);

}  // namespace pill
