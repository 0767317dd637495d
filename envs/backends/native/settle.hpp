// What becomes of a bottle after a lock, in one call: all falling and clearing, and how long it
// takes.
#pragma once

#include <cstdint>

#include "bottle.hpp"

namespace pill {

struct Settled {
    int viruses = 0;  // cleared
    int cells = 0;    // cleared, viruses included
    int lines = 0;    // cleared; two or more send garbage
    int rounds = 0;   // of clearing
    int frames = 0;   // from the lock to the next capsule's first frame of control
};

// Frames from a lock in `row`, 0 on top, to the next control, where nothing falls or clears.
int count_resting_frames(int row);

// Bring `field` to rest. `row` is that of the lower half that has locked, 0 on top. Garbage is
// left out: it belongs to the opponent.
Settled settle(std::uint8_t* field, int row);

}  // namespace pill
