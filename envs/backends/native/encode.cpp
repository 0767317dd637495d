// Observations and masks of one game.
#include "encode.hpp"

#include <cstring>

namespace pill {

void encode_compact(const std::uint8_t* ram, int seat, const CompactProgram& program,
                    std::uint8_t* observation) {
    const std::int32_t* sources = program.sources[seat];
    for (std::int32_t byte = 0; byte < program.size; ++byte) {
        observation[byte] = program.tables[program.table[byte] * 256 + ram[sources[byte]]];
    }
    for (std::int32_t sum = 0; sum < program.num_sums; ++sum) {
        const std::int32_t* pair = program.sums + 2 * sum;
        observation[pair[0]] =
            static_cast<std::uint8_t>(observation[pair[0]] + observation[pair[1]]);
    }
}

void write_mask(const PoseSet& legal, std::int8_t* mask) {
    using namespace layout;
    constexpr std::uint64_t spread = 0x204081, ones = 0x01010101;
    // Eight bits spread over the eight bytes of a row.
    for (int rotation = 0; rotation < NUM_ROTATIONS; ++rotation) {
        for (int row = 0; row < ROWS; ++row) {
            const std::uint64_t bits = legal.rows[row] >> (rotation * COLUMNS) & 0xFF;
            const std::uint64_t low = (bits & 0x0F) * spread & ones;
            const std::uint64_t high = (bits >> 4) * spread & ones;
            const std::uint64_t bytes = low | high << 32;
            std::memcpy(mask + pose_index(rotation, row, 0), &bytes, sizeof bytes);
        }
    }
    mask[NUM_POSES] = legal.is_empty();
}

}  // namespace pill
