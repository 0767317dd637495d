// A bottle as bit masks, by column and by row: what features are counted from.
#pragma once

// Bits are counted all the time. Every x86-64 processor since 2009 has an instruction for it, which
// compilers do not use unless told.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("popcnt")
#endif

#include <cstdint>

#include "layout.hpp"

namespace pill {

// Cells of a column (bit = row) or of a row (bit = column).
struct CellBits {
    std::uint32_t colours[layout::NUM_COLOURS];
    std::uint32_t viruses;

    std::uint32_t occupied() const { return colours[0] | colours[1] | colours[2]; }
};

struct BottleBits {
    CellBits columns[layout::COLUMNS];
    CellBits rows[layout::ROWS];

    BottleBits() = default;
    // Tiles with a colour that is none count as empty.
    explicit BottleBits(const std::uint8_t* field);

    // Put a tile into an empty cell.
    void add(int row, int column, int colour, bool is_virus = false) {
        columns[column].colours[colour] |= 1u << row;
        rows[row].colours[colour] |= 1u << column;
        columns[column].viruses |= static_cast<std::uint32_t>(is_virus) << row;
        rows[row].viruses |= static_cast<std::uint32_t>(is_virus) << column;
    }
};

// Ones at the low end.
inline int count_low_ones(std::uint32_t bits) { return bits == ~0u ? 32 : __builtin_ctz(~bits); }

// The run of ones around a bit that is set, as a mask.
inline std::uint32_t run_around(std::uint32_t bits, int place) {
    const int after = count_low_ones(bits >> place);
    const std::uint32_t gaps_before = ~bits & ((1u << place) - 1);
    const int first = gaps_before == 0 ? 0 : 32 - __builtin_clz(gaps_before);
    return ((1u << (place + after - first)) - 1) << first;
}

// The same for each bit of each row of eight, 0 where it is not set.
struct RowRuns {
    std::uint8_t masks[1 << layout::COLUMNS][layout::COLUMNS];

    constexpr RowRuns() : masks() {
        for (int bits = 0; bits < 1 << layout::COLUMNS; ++bits) {
            for (int place = 0; place < layout::COLUMNS; ++place) {
                if ((bits >> place & 1) == 0) continue;
                int first = place, last = place;
                while (first > 0 && (bits >> (first - 1) & 1) != 0) --first;
                while (last + 1 < layout::COLUMNS && (bits >> (last + 1) & 1) != 0) ++last;
                masks[bits][place] = static_cast<std::uint8_t>((2 << last) - (1 << first));
            }
        }
    }
};
inline constexpr RowRuns ROW_RUNS;

// The run of ones around a bit of a row that is set, as a mask.
inline std::uint32_t row_run_around(std::uint32_t row, int place) {
    return ROW_RUNS.masks[row][place];
}

inline int count_bits(std::uint32_t bits) { return __builtin_popcount(bits); }

}  // namespace pill
