// What a policy is shown of a game, written from its RAM image.
#pragma once

#include <cstdint>

#include "planner.hpp"

namespace pill {

// The `compact` vector as a program: byte i is `tables[table[i]][ram[source[seat][i]]]`, and some
// bytes add another one. `envs/compact.py` defines it; nothing of it is written twice.
struct CompactProgram {
    std::int32_t size;
    std::int32_t num_sums;
    const std::int32_t* sources[2];  // RAM addresses by seat
    const std::uint8_t* table;       // number of the table of each byte
    const std::uint8_t* tables;      // 256 bytes each
    const std::int32_t* sums;        // pairs: byte `first` grows by byte `second`
};

void encode_compact(const std::uint8_t* ram, int seat, const CompactProgram& program,
                    std::uint8_t* observation);

// int8 (513,): 1 for legal poses; WAIT is legal only where no pose is.
void write_mask(const PoseSet& legal, std::int8_t* mask);

}  // namespace pill
