// The features of a candidate. Each is defined in `envs/candidates.py`; a test compares the two.
#include "candidates.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "bottle_bits.hpp"
#include "settle.hpp"

namespace pill {
namespace {

using namespace layout;
using u8 = std::uint8_t;

constexpr int MIN_RUN = 4;
constexpr int MAX_BYTE = 255;
constexpr std::uint32_t ALL_ROWS = 0xFFFF;
constexpr int SPAWN_COLUMNS[] = {3, 4};
constexpr int SAFE_SPAWN_HEIGHT = 8;
constexpr int SAFE_HEIGHT = 10;
constexpr int MAX_BURIED = 6;
constexpr int MAX_BURIED_RUNS = 4;

// What lies under a half.
enum Under : u8 { FLOOR, SAME_VIRUS, SAME_CELL, OTHER_CELL, OTHER_VIRUS, NOTHING };
// The nearest virus below a half.
enum Nearest : u8 { NO_VIRUS, SAME_COLOUR, OTHER_COLOUR };

constexpr u8 HIGHEST[NUM_FEATURES] = {
#define FEATURE(name, high) high,
#include "features.def"
#undef FEATURE
};

u8 to_byte(int value) { return static_cast<u8>(std::min(value, MAX_BYTE)); }

struct Half {
    int row, column, colour;
};

// ---- counts over a settled bottle -----------------------------------------------------------

enum Count {
    VIRUSES, CHANGES, BURIED, BURIED_RUNS, OPEN, HOLES, LOOSE,
    TOP_VIRUS_ONE, TOP_VIRUS_TWO, TOP_VIRUS_THREE, TOP_TWO, TOP_THREE,
    ROW_VIRUS_TWO, ROW_VIRUS_THREE, ROW_TWO, ROW_THREE, NUM_COUNTS
};

struct Counts {
    std::uint16_t values[NUM_COUNTS] = {};

    void add(Count count, int amount) {
        values[count] = static_cast<std::uint16_t>(values[count] + amount);
    }
    int operator[](Count count) const { return values[count]; }
    Counts& operator+=(const Counts& other) {
        for (int count = 0; count < NUM_COUNTS; ++count) values[count] += other.values[count];
        return *this;
    }
    Counts& operator-=(const Counts& other) {
        for (int count = 0; count < NUM_COUNTS; ++count) values[count] -= other.values[count];
        return *this;
    }
};

int top_of(std::uint32_t occupied) { return __builtin_ctz(occupied | 1u << ROWS); }

int colour_at(const CellBits& cells, int place) {
    return static_cast<int>(cells.colours[1] >> place & 1) +
           2 * static_cast<int>(cells.colours[2] >> place & 1);
}

void count_top_run(const CellBits& column, int top, Counts& counts) {
    const std::uint32_t same = column.colours[colour_at(column, top)];
    const int length = count_low_ones(same >> top);
    if (top < MIN_RUN - length) return;
    const bool has_virus = (column.viruses & run_around(same, top)) != 0;
    if (length == 1) counts.add(TOP_VIRUS_ONE, has_virus);
    if (length == 2) counts.add(has_virus ? TOP_VIRUS_TWO : TOP_TWO, 1);
    if (length >= 3) counts.add(has_virus ? TOP_VIRUS_THREE : TOP_THREE, 1);
}

Counts count_column(const CellBits& column) {
    Counts counts{};
    const std::uint32_t occupied = column.occupied();
    if (occupied == 0) return counts;
    const int top = top_of(occupied);
    std::uint32_t same_as_above = 0;
    for (const std::uint32_t colour : column.colours) same_as_above |= colour & colour << 1;
    const std::uint32_t starts = occupied & ~same_as_above;
    counts.add(VIRUSES, count_bits(column.viruses));
    counts.add(CHANGES, count_bits(starts & occupied << 1));
    counts.add(HOLES, count_bits(ALL_ROWS & ~occupied & ALL_ROWS << top));
    counts.add(LOOSE, count_bits(occupied & ~column.viruses));
    for (std::uint32_t left = column.viruses; left != 0; left &= left - 1) {
        const int row = __builtin_ctz(left);
        const std::uint32_t above = (1u << row) - 1;
        const std::uint32_t same = column.colours[colour_at(column, row)];
        const int others = count_bits(occupied & ~same & above);
        const int runs = count_bits(starts & (above | 1u << row)) - 1;
        counts.add(BURIED, std::min(others, MAX_BURIED));
        counts.add(BURIED_RUNS, std::min(runs, MAX_BURIED_RUNS));
        counts.add(OPEN, others == 0);
    }
    count_top_run(column, top, counts);
    return counts;
}

Counts count_row(const CellBits& row) {
    Counts counts{};
    const std::uint32_t occupied = row.occupied();
    if (count_bits(occupied) < 2) return counts;
    for (int first = 0; first + MIN_RUN <= COLUMNS; ++first) {
        const std::uint32_t window = 0xFu << first, cells = occupied & window;
        const int length = count_bits(cells);
        if (length != 2 && length != 3) continue;
        const int place = __builtin_ctz(cells);
        if (cells != (row.colours[colour_at(row, place)] & window)) continue;
        const bool has_virus = (row.viruses & window) != 0;
        if (length == 2) counts.add(has_virus ? ROW_VIRUS_TWO : ROW_TWO, 1);
        if (length == 3) counts.add(has_virus ? ROW_VIRUS_THREE : ROW_THREE, 1);
    }
    return counts;
}

// A settled bottle with its counts, kept by column and row so that two more cells are cheap.
struct Board {
    BottleBits bits;
    Counts columns[COLUMNS];
    Counts rows[ROWS];
    Counts total;

    explicit Board(const u8* field) : bits(field) {
        for (int column = 0; column < COLUMNS; ++column) {
            total += columns[column] = count_column(bits.columns[column]);
        }
        for (int row = 0; row < ROWS; ++row) total += rows[row] = count_row(bits.rows[row]);
    }
};

void write_heights(const BottleBits& bits, u8* features) {
    int highest = 0, squares = 0, spawn = 0;
    bool blocked = false;
    for (int column = 0; column < COLUMNS; ++column) {
        const int height = ROWS - top_of(bits.columns[column].occupied());
        highest = std::max(highest, height);
        squares += height * height;
    }
    for (const int column : SPAWN_COLUMNS) {
        const int height = ROWS - top_of(bits.columns[column].occupied());
        const int danger = std::max(height - SAFE_SPAWN_HEIGHT, 0);
        spawn += danger * danger;
        blocked |= height == ROWS;
    }
    const int danger = std::max(highest - SAFE_HEIGHT, 0);
    features[F_blocks_spawn] = blocked;
    features[F_max_height] = to_byte(highest);
    features[F_height_squares] = to_byte(squares / ROWS);
    features[F_spawn_height] = to_byte(spawn);
    features[F_high_stack] = to_byte(danger * danger);
}

void write_counts(const Counts& counts, u8* features) {
    features[F_viruses_left] = to_byte(counts[VIRUSES]);
    features[F_colour_changes] = to_byte(counts[CHANGES]);
    features[F_buried] = to_byte(counts[BURIED]);
    features[F_buried_runs] = to_byte(counts[BURIED_RUNS]);
    features[F_open_viruses] = to_byte(counts[OPEN]);
    features[F_holes] = to_byte(counts[HOLES]);
    features[F_loose_cells] = to_byte(counts[LOOSE]);
    features[F_top_virus_one] = to_byte(counts[TOP_VIRUS_ONE]);
    features[F_top_virus_two] = to_byte(counts[TOP_VIRUS_TWO]);
    features[F_top_virus_three] = to_byte(counts[TOP_VIRUS_THREE]);
    features[F_top_two] = to_byte(counts[TOP_TWO]);
    features[F_top_three] = to_byte(counts[TOP_THREE]);
    features[F_row_virus_two] = to_byte(counts[ROW_VIRUS_TWO]);
    features[F_row_virus_three] = to_byte(counts[ROW_VIRUS_THREE]);
    features[F_row_two] = to_byte(counts[ROW_TWO]);
    features[F_row_three] = to_byte(counts[ROW_THREE]);
}

// ---- the landing cells ----------------------------------------------------------------------

// The twelve features of one half, on the bottle with the capsule in it.
void write_half(const BottleBits& bits, const Half& half, u8* features) {
    const CellBits& column = bits.columns[half.column];
    const CellBits& row = bits.rows[half.row];
    const std::uint32_t same = column.colours[half.colour], same_row = row.colours[half.colour];
    const std::uint32_t occupied = column.occupied();
    const std::uint32_t down = run_around(same, half.row);
    const std::uint32_t across = row_run_around(same_row, half.column);
    const std::uint32_t others = row.occupied() & ~same_row;
    const int below = half.row + 1;
    const std::uint32_t viruses = column.viruses >> below;
    const int nearest = viruses != 0 ? __builtin_ctz(viruses) + below : -1;
    const bool is_same = nearest >= 0 && (same >> nearest & 1) != 0;
    u8 under = FLOOR;
    if (below < ROWS) {
        const bool virus = (column.viruses >> below & 1) != 0;
        if ((occupied >> below & 1) == 0) under = NOTHING;
        else if ((same >> below & 1) != 0) under = virus ? SAME_VIRUS : SAME_CELL;
        else under = virus ? OTHER_VIRUS : OTHER_CELL;
    }
    int between = 0;
    if (nearest >= 0) between = count_bits((occupied & ~same & ((1u << nearest) - 1)) >> below);
    const u8 values[] = {
        to_byte(std::min(count_bits(down), MIN_RUN)),
        to_byte(std::min(count_bits(down & column.viruses), MIN_RUN)),
        to_byte(std::min(count_bits(across), MIN_RUN)),
        to_byte(std::min(count_bits(across & row.viruses), MIN_RUN)),
        under,
        to_byte(__builtin_ctz((occupied | 1u << ROWS) >> below)),
        to_byte(count_bits(viruses)),
        to_byte(count_bits(viruses & same >> below)),
        nearest < 0 ? NO_VIRUS : is_same ? SAME_COLOUR : OTHER_COLOUR,
        to_byte(between),
        to_byte(ROWS - half.row),
        to_byte(count_bits(row_run_around(~others & 0xFF, half.column))),
    };
    std::memcpy(features, values, sizeof values);
}
static_assert(F_other_run_down - F_pivot_run_down == 12);

// Height of a column as seen from a half next to it: 16 is level, more is a wall.
int measure_step(const BottleBits& before, int column, int top_row) {
    if (column < 0 || column >= COLUMNS) return ROWS + top_row;
    return ROWS + top_row - top_of(before.columns[column].occupied());
}

// Features of both halves together, from those of each.
void write_pair(const CandidateInput& input, const Half& pivot, const Half* other, int rotation,
                const BottleBits& before, u8* f) {
    const u8 *a = f + F_pivot_run_down, *b = f + F_other_run_down;
    const auto of = [&](Feature feature) { return feature - F_pivot_run_down; };
    const bool upright = (rotation & 1) != 0;
    const auto both = [&](auto holds) {
        return to_byte(holds(a) + (other != nullptr && holds(b)));
    };
    const int down = of(F_pivot_run_down), across = of(F_pivot_run_across);
    const int under = of(F_pivot_under), nearest = of(F_pivot_nearest);
    f[F_run_down_most] = std::max(a[down], b[down]);
    f[F_run_down_least] = std::min(a[down], b[down]);
    f[F_run_across_most] = std::max(a[across], b[across]);
    f[F_run_across_least] = std::min(a[across], b[across]);
    f[F_matched_halves] = both([&](const u8* h) { return h[down] > 1 || h[across] > 1; });
    f[F_wasted_halves] =
        both([&](const u8* h) { return h[down] == 1 && h[across] == 1 && h[under] != FLOOR; });
    f[F_covered_viruses] = both([&](const u8* h) { return h[under] == OTHER_VIRUS; });
    f[F_covered_cells] = both([&](const u8* h) { return h[under] == OTHER_CELL; });
    f[F_gaps] = to_byte(a[of(F_pivot_gap)] + b[of(F_pivot_gap)]);
    f[F_top_height] = std::max(a[of(F_pivot_height)], b[of(F_pivot_height)]);
    f[F_blocked_viruses] =
        to_byte((a[nearest] == OTHER_COLOUR) + (!upright && b[nearest] == OTHER_COLOUR));
    f[F_reached_viruses] = both([&](const u8* h) { return h[nearest] == SAME_COLOUR; });
    f[F_between] = to_byte(a[of(F_pivot_between)] + b[of(F_pivot_between)]);
    f[F_upright] = upright;
    f[F_one_colour] = input.colours[0] == input.colours[1];
    f[F_from_middle] = to_byte(std::abs(2 * pivot.column + (upright ? 0 : 1) - (COLUMNS - 1)));
    int same = 0;
    for (const u8 colour : input.colours) {
        for (const u8 next : input.next_colours) same += colour == next;
    }
    f[F_next_same] = to_byte(same);
    const int top_row = ROWS - f[F_top_height];
    f[F_left_step] = to_byte(measure_step(before, pivot.column - 1, top_row));
    f[F_right_step] = to_byte(measure_step(before, pivot.column + (upright ? 1 : 2), top_row));
}

// ---- the next capsule -----------------------------------------------------------------------

// What a half of the next capsule makes where it comes to rest, before anything clears.
struct NextHalf {
    int lines = 0, viruses = 0;  // complete lines, and viruses in them
    int virus_run = 0;           // longest run with a virus in it; four at most, as all runs here
    int longest = 1;
    bool on_floor = false, on_virus = false;  // a virus of another colour

    int add_run(int cells, int run_viruses) {
        const int length = std::min(cells, MIN_RUN);
        longest = std::max(longest, length);
        if (run_viruses > 0) virus_run = std::max(virus_run, length);
        if (length == MIN_RUN) {
            ++lines;
            viruses += run_viruses;
        }
        return length;
    }
    bool is_wasted() const { return longest == 1 && !on_floor; }
};

// What some drops of the next capsule can do at best.
struct NextBest {
    int lines = 0, viruses = 0, virus_run = 0, runs = 0;
    int wasted = 2;  // halves; the least
    int fits = 0;    // drops that waste nothing and cover no virus of another colour

    void count(const NextHalf& one, const NextHalf& other) {
        const int both_wasted = one.is_wasted() + other.is_wasted();
        const bool is_fit = both_wasted == 0 && !one.on_virus && !other.on_virus;
        *this += NextBest{one.lines + other.lines, one.viruses + other.viruses,
                          std::max(one.virus_run, other.virus_run), one.longest + other.longest,
                          both_wasted, is_fit};
    }
    NextBest& operator+=(const NextBest& more) {
        lines = std::max(lines, more.lines);
        viruses = std::max(viruses, more.viruses);
        virus_run = std::max(virus_run, more.virus_run);
        runs = std::max(runs, more.runs);
        wasted = std::min(wasted, more.wasted);
        fits += more.fits;
        return *this;
    }
};

// All straight drops of the next capsule on a settled bottle, by the column of the left half, so
// that two more cells are cheap.
class NextDrops {
public:
    NextDrops(const BottleBits& bits, const u8* colours) : bits_(&bits), colours_(colours) {
        for (int column = 0; column < COLUMNS; ++column) measure_top(column);
        for (int column = 0; column < COLUMNS; ++column) drop(column);
    }

    // The same once two cells more are in place, in which nothing clears or falls.
    NextDrops(const NextDrops& before, const BottleBits& bits, const Half& one, const Half& other)
        : NextDrops(before) {
        bits_ = &bits;
        for (const Half& half : {one, other}) measure_top(half.column);
        for (int column = 0; column < COLUMNS; ++column) {
            if (matters(one, column) || matters(other, column)) drop(column);
        }
    }

    void write(u8* features) const {
        NextBest all;
        for (const NextBest& column : best_) all += column;
        features[F_next_lines] = to_byte(all.lines);
        features[F_next_viruses] = to_byte(all.viruses);
        features[F_next_virus_run] = to_byte(all.virus_run);
        features[F_next_runs] = to_byte(all.runs);
        features[F_next_wasted] = to_byte(all.wasted);
        features[F_next_fits] = to_byte(all.fits);
    }

private:
    void measure_top(int column) { tops_[column] = top_of(bits_->columns[column].occupied()); }

    // Whether a new cell can change what the drops of a column do.
    bool matters(const Half& cell, int column) const {
        if (cell.column == column || cell.column == column + 1) return true;
        const int row = tops_[column] - 1;
        const bool is_beside = cell.row == row || cell.row == row - 1;
        if (is_beside && touches(cell, column)) return true;
        return column + 1 < COLUMNS && cell.row == find_flat_row(column) &&
               (touches(cell, column) || touches(cell, column + 1));
    }

    // Whether a new cell may belong to a run through a column of its row.
    bool touches(const Half& cell, int column) const {
        if (std::abs(cell.column - column) == 1) return true;
        const int neighbour = cell.column + (column > cell.column ? 1 : -1);
        return (bits_->rows[cell.row].colours[cell.colour] >> neighbour & 1) != 0;
    }

    void drop(int column) {
        best_[column] = NextBest{};
        if (colours_[0] == colours_[1]) drop_one_colour(column);
        else drop_two_colours(column);
    }

    void drop_two_colours(int column) {
        NextBest& best = best_[column];
        const int top = tops_[column];
        const int row = column + 1 < COLUMNS ? find_flat_row(column) : -1;
        for (int order = 0; order < 2; ++order) {
            if (top == 0) continue;
            const NextHalf resting = rest(column, order);
            if (top > 1) best.count(resting, hang(top - 2, column, 1 - order));
            if (row < 0) continue;
            const bool rests = top - 1 == row, other_rests = tops_[column + 1] - 1 == row;
            best.count(rests ? resting : hang(row, column, order),
                       other_rests ? rest(column + 1, 1 - order)
                                   : hang(row, column + 1, 1 - order));
        }
    }

    // Both halves share one run: it counts once, and is long for both.
    void drop_one_colour(int column) {
        NextBest& best = best_[column];
        if (tops_[column] > 1) {
            NextHalf lower, upper = hang(tops_[column] - 2, column, 0);
            const int shared = add_down(lower, column, 0, 2);
            add_across(lower, tops_[column] - 1, column, 0, 1u << column);
            upper.longest = std::max(upper.longest, shared);
            best.count(lower, upper);
        }
        const int row = column + 1 < COLUMNS ? find_flat_row(column) : -1;
        if (row >= 0) {
            NextHalf left, right;
            if (tops_[column] - 1 == row) add_down(left, column, 0, 1);
            if (tops_[column + 1] - 1 == row) add_down(right, column + 1, 0, 1);
            const int shared = add_across(left, row, column, 0, 3u << column);
            right.longest = std::max(right.longest, shared);
            best.count(left, right);
        }
    }

    int find_flat_row(int column) const { return std::min(tops_[column], tops_[column + 1]) - 1; }

    NextHalf rest(int column, int order) const {
        NextHalf half;
        add_down(half, column, order, 1);
        add_across(half, tops_[column] - 1, column, order, 1u << column);
        return half;
    }

    NextHalf hang(int row, int column, int order) const {
        NextHalf half;
        add_across(half, row, column, order, 1u << column);
        return half;
    }

    // Add the run on top of a column with `size` more cells on it.
    int add_down(NextHalf& half, int column, int order, int size) const {
        const CellBits& cells = bits_->columns[column];
        const int top = tops_[column];
        const int length = count_low_ones(cells.colours[colours_[order]] >> top);
        const std::uint32_t run = ((1u << length) - 1) << top;
        half.on_floor = top == ROWS;
        half.on_virus = length == 0 && (cells.viruses >> top & 1) != 0;
        return half.add_run(size + length, count_bits(run & cells.viruses));
    }

    // Add the run of a row in which `own` are cells of the capsule.
    int add_across(NextHalf& half, int row, int column, int order, std::uint32_t own) const {
        const CellBits& cells = bits_->rows[row];
        const std::uint32_t run = row_run_around(cells.colours[colours_[order]] | own, column);
        return half.add_run(count_bits(run), count_bits(run & cells.viruses));
    }

    const BottleBits* bits_;
    const u8* colours_;
    int tops_[COLUMNS];
    NextBest best_[COLUMNS];
};

// ---- the position after the lock ------------------------------------------------------------

// Keeps what all candidates of a capsule share.
class Judge {
public:
    explicit Judge(const CandidateInput& input)
        : input_(input), before_(input.field), is_settled_(is_settled(input.field)) {
        const u8* colours = input.next_colours;
        if (std::max(colours[0], colours[1]) < NUM_COLOURS) next_.emplace(before_.bits, colours);
    }

    // No frames of a planner need this; those of a caller may be anything.
    bool has_room(int pose) const {
        const int row = pose % CELLS / COLUMNS, column = pose % COLUMNS;
        const bool upright = (pose / CELLS & 1) != 0;
        if (!upright && column == COLUMNS - 1) return false;
        const CellBits* columns = before_.bits.columns;
        const std::uint32_t pivot = 1u << row, other = upright ? pivot >> 1 : pivot;
        return ((columns[column].occupied() & pivot) |
                (columns[column + !upright].occupied() & other)) == 0;
    }

    void write(int pose, int frames, u8* features) const {
        const int rotation = pose / CELLS, row = pose % CELLS / COLUMNS, column = pose % COLUMNS;
        const bool upright = (rotation & 1) != 0, swapped = (rotation & 2) != 0;
        const Half pivot{row, column, input_.colours[swapped]};
        const Half other{upright ? row - 1 : row, upright ? column : column + 1,
                         input_.colours[!swapped]};
        const bool has_other = other.row >= 0;
        BottleBits placed = before_.bits;
        placed.add(pivot.row, pivot.column, pivot.colour);
        if (has_other) placed.add(other.row, other.column, other.colour);
        std::memset(features, 0, NUM_FEATURES);
        write_half(placed, pivot, features + F_pivot_run_down);
        if (has_other) write_half(placed, other, features + F_other_run_down);
        write_pair(input_, pivot, has_other ? &other : nullptr, rotation, before_.bits, features);
        features[F_lock_frames] = to_byte(frames);
        const bool clears = features[F_run_down_most] >= MIN_RUN ||
                            features[F_run_across_most] >= MIN_RUN;
        if (clears || !is_settled_ || !has_other) {
            write_settled(pose, features);
        } else {
            write_resting(placed, pivot, other, features);
        }
        features[F_clears_bottle] = features[F_viruses_left] == 0;
        features[F_next_clears_bottle] =
            features[F_next_viruses] > 0 && features[F_next_viruses] == features[F_viruses_left];
        for (int feature = 0; feature < NUM_FEATURES; ++feature) {
            features[feature] = std::min(features[feature], HIGHEST[feature]);
        }
    }

private:
    static bool is_settled(const u8* field) {
        u8 copy[CELLS];
        std::memcpy(copy, field, CELLS);
        settle(copy, 0);
        return std::memcmp(copy, field, CELLS) == 0;
    }

    // Nothing clears and nothing falls: count the touched columns and rows anew.
    void write_resting(const BottleBits& placed, const Half& pivot, const Half& other,
                       u8* features) const {
        Counts counts = before_.total;
        const auto recount = [&](const Counts& old, const Counts& now) {
            counts -= old;
            counts += now;
        };
        recount(before_.columns[pivot.column], count_column(placed.columns[pivot.column]));
        recount(before_.rows[pivot.row], count_row(placed.rows[pivot.row]));
        if (other.column != pivot.column) {
            recount(before_.columns[other.column], count_column(placed.columns[other.column]));
        } else {
            recount(before_.rows[other.row], count_row(placed.rows[other.row]));
        }
        write_counts(counts, features);
        write_heights(placed, features);
        if (next_) NextDrops(*next_, placed, pivot, other).write(features);
        features[F_settle_frames] = to_byte(count_resting_frames(pivot.row));
    }

    void write_settled(int pose, u8* features) const {
        u8 field[CELLS];
        std::memcpy(field, input_.field, CELLS);
        Player player{};
        player.colour_first = input_.colours[0];
        player.colour_second = input_.colours[1];
        player.rotation = static_cast<u8>(pose / CELLS);
        player.x = static_cast<u8>(pose % COLUMNS);
        player.y = static_cast<u8>(ROWS - 1 - pose % CELLS / COLUMNS);
        stamp_capsule(field, player);
        const Settled settled = settle(field, pose % CELLS / COLUMNS);
        const Board after(field);
        write_counts(after.total, features);
        write_heights(after.bits, features);
        if (next_) NextDrops(after.bits, input_.next_colours).write(features);
        features[F_settle_frames] = to_byte(settled.frames);
        features[F_viruses_cleared] = to_byte(settled.viruses);
        features[F_cells_cleared] = to_byte(settled.cells);
        features[F_rounds] = to_byte(settled.rounds);
        features[F_lines] = to_byte(settled.lines);
    }

    const CandidateInput& input_;
    Board before_;
    bool is_settled_;
    std::optional<NextDrops> next_;  // unless there is no next capsule
};

}  // namespace

BottleBits::BottleBits(const std::uint8_t* field) {
    *this = BottleBits{};
    for (int cell = 0; cell < CELLS; ++cell) {
        const int colour = field[cell] & 0x0F;
        if (field[cell] >= TILE_CLEARED || colour >= NUM_COLOURS) continue;
        add(cell / COLUMNS, cell % COLUMNS, colour, (field[cell] & 0xF0) == TILE_VIRUS);
    }
}

int write_candidates(const CandidateInput& input, const std::uint16_t* frames, int capacity,
                     u8* rows, std::int16_t* poses) {
    if (std::max({input.colours[0], input.colours[1]}) >= NUM_COLOURS) return 0;
    const Judge judge(input);
    const bool one_colour = input.colours[0] == input.colours[1];
    int count = 0;
    for (int pose = 0; pose < (one_colour ? NUM_POSES / 2 : NUM_POSES); ++pose) {
        int time = frames[pose];
        if (one_colour) {
            const int turned = frames[pose + NUM_POSES / 2];
            if (time == 0 || (turned != 0 && turned < time)) time = turned;
        }
        if (time == 0 || !judge.has_room(pose)) continue;
        if (count == capacity) break;
        judge.write(pose, time, rows + count * NUM_FEATURES);
        poses[count++] = static_cast<std::int16_t>(pose);
    }
    return count;
}

}  // namespace pill
