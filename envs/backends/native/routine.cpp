// Candidates, features, tree and pads of the cartridge's small player.
#include "routine.hpp"

#include <algorithm>

namespace pill::routine {
namespace {

using namespace layout;
using u8 = std::uint8_t;

constexpr int SPAWN_X = 3;
constexpr int NUM_ROTATIONS = 4;
constexpr int MAX_TAPS = 5;
constexpr int HALF_TURN = 2;
constexpr int LINE_LENGTH = 4;
constexpr int LETS_FALL = 32;
constexpr int SLOPE_DEPTH = 12;
constexpr int TURNS[NUM_ROTATIONS] = {0, 1, 2, 1};
constexpr u8 TYPE_MASK = 0xF0;
constexpr u8 COLOUR_MASK = 0x03;

bool is_virus(u8 tile) { return (tile & TYPE_MASK) == TILE_VIRUS; }

// Row of the highest tile by column, and the rows in which the taps find the capsule.
struct Reach {
    int tops[COLUMNS];
    int rows[MAX_TAPS + 1];

    explicit Reach(const Position& position) {
        for (int x = 0; x < COLUMNS; ++x) {
            int row = 0;
            while (row < ROWS && position.field[row * COLUMNS + x] == TILE_EMPTY) ++row;
            tops[x] = row;
        }
        find_rows(*std::min_element(tops, tops + COLUMNS), position.frames_per_row);
    }

    bool is_free(int x, bool upright, int tap) const {
        if (x < 0 || x > COLUMNS - 2 + upright || tops[x] <= rows[tap]) return false;
        return upright || tops[x + 1] > rows[tap];
    }

    // As fast as the capsule can sink, which is when control begins in an odd frame.
    void find_rows(int floor, int frames_per_row) {
        int row = 0, waited = 0;
        for (int n = 1; n <= THINK_FRAMES + TAP_FRAMES * MAX_TAPS; ++n) {
            const bool sinks = n % TAP_FRAMES == 1 && row + 1 < floor;
            if (++waited == frames_per_row || sinks) {
                ++row;
                waited = 0;
            }
            if (n % TAP_FRAMES == 0) rows[(n - THINK_FRAMES) / TAP_FRAMES] = row;
        }
    }

    // The last column that taps in one direction lead to.
    int walk(int direction, int rotation) const {
        const bool upright = (rotation & 1) != 0;
        int x = SPAWN_X;
        for (int tap = TURNS[rotation] + 1; tap <= MAX_TAPS; ++tap, x += direction) {
            if (!is_free(x, upright, tap) || !is_free(x + direction, upright, tap)) break;
        }
        return x;
    }
};

// What a half finds that comes to lie on column `x`.
struct Scan {
    int run = 1;
    int between = 0;
    bool covers_virus = false, covers_tile = false;
    bool blocked = false, matched = false;

    Scan(const u8* field, int top, int x, int colour, bool hangs) {
        int row = top;
        if (!hangs && row < ROWS) row = count_run(field, row, x, colour);
        if (matched) return;
        for (; row < ROWS; ++row) {
            const u8 tile = field[row * COLUMNS + x];
            if (tile == TILE_EMPTY) continue;
            const bool same = (tile & COLOUR_MASK) == colour;
            if (is_virus(tile)) {
                (same ? matched : blocked) = true;
                return;
            }
            between += !same;
        }
        between = 0;
    }

private:
    // Does a tile that goes leave half a lying capsule, above three tiles of that half's colour?
    static bool lets_fall(const u8* field, int row, int x) {
        const int kind = field[row * COLUMNS + x] & TYPE_MASK;
        if (kind != TILE_LEFT && kind != TILE_RIGHT) return false;
        const int beside = kind == TILE_LEFT ? x + 1 : x - 1;
        if (beside < 0 || beside >= COLUMNS) return false;
        const int colour = field[row * COLUMNS + beside] & COLOUR_MASK;
        int same = 0;
        for (int below = row + 1; below < ROWS && same < LINE_LENGTH - 1; ++below) {
            const u8 tile = field[below * COLUMNS + beside];
            if (tile == TILE_EMPTY) continue;
            if ((tile & COLOUR_MASK) != colour) return false;
            ++same;
        }
        return same == LINE_LENGTH - 1;
    }

    // Count the tiles of one colour from the top on; returns the row below them.
    int count_run(const u8* field, int top, int x, int colour) {
        int row = top;
        for (; row < ROWS; ++row) {
            const u8 tile = field[row * COLUMNS + x];
            if (tile == TILE_EMPTY || (tile & COLOUR_MASK) != colour) break;
            matched |= is_virus(tile);
        }
        if (row == top) {
            covers_virus = is_virus(field[row * COLUMNS + x]);
            covers_tile = !covers_virus;
        }
        run = 1 + row - top;
        if (run < LINE_LENGTH) return row;
        bool starts_chain = false;
        for (int at = top; at < row; ++at) starts_chain |= lets_fall(field, at, x);
        if (starts_chain) run += LETS_FALL;
        return row;
    }
};

void add_scans(const Scan& first, const Scan& second, u8* features) {
    const auto set = [features](Feature feature, int value) {
        features[feature] = static_cast<u8>(value);
    };
    set(RUN_MAX, std::max(first.run, second.run));
    set(RUN_MIN, std::min(first.run, second.run));
    set(COVERS_VIRUS, first.covers_virus + second.covers_virus);
    set(COVERS_TILE, first.covers_tile + second.covers_tile);
    set(BLOCKED, first.blocked + second.blocked);
    set(MATCHED, first.matched + second.matched);
    set(BETWEEN, first.between + second.between);
}

void describe_flat(const Position& position, const Reach& reach, const int* colours,
                   Candidate& candidate) {
    const int x = candidate.column, left = reach.tops[x], right = reach.tops[x + 1];
    Scan first(position.field, left, x, colours[0], false);
    Scan second(position.field, right, x + 1, colours[1], false);
    // A half over a lower column hangs, unless the other one completes a line: then it falls.
    if (left > right && second.run < LINE_LENGTH) {
        first = Scan(position.field, left, x, colours[0], true);
    } else if (right > left && first.run < LINE_LENGTH) {
        second = Scan(position.field, right, x + 1, colours[1], true);
    }
    add_scans(first, second, candidate.features);
    candidate.features[DEPTH] = static_cast<u8>(std::min(left, right));
    candidate.features[UPRIGHT] = 0;
    candidate.row = static_cast<u8>(std::min(left, right) - 1);
}

void describe_upright(const Position& position, const Reach& reach, const int* colours,
                      Candidate& candidate) {
    const int x = candidate.column, top = reach.tops[x];
    Scan lower(position.field, top, x, colours[0], false);
    if (colours[0] == colours[1]) {
        ++lower.run;
        Scan upper = lower;
        upper.covers_virus = upper.covers_tile = upper.blocked = false;
        add_scans(lower, upper, candidate.features);
    } else {
        Scan upper(position.field, top, x, colours[1], true);
        upper.covers_tile = true;
        upper.between += upper.matched || upper.blocked;
        upper.blocked = false;
        add_scans(lower, upper, candidate.features);
    }
    candidate.features[DEPTH] = static_cast<u8>(top);
    candidate.features[UPRIGHT] = 1;
    candidate.row = static_cast<u8>(top - 1);
}

int score_leaf(int leaf, int depth) {
    return (leaf + 1) / 2 + depth + (leaf & 3) * (SLOPE_DEPTH - depth);
}

}  // namespace

int list_candidates(const Position& position, Candidate* candidates) {
    const Reach reach(position);
    const bool one_colour = position.colours[0] == position.colours[1];
    int count = 0;
    for (int rotation = 0; rotation < (one_colour ? 2 : NUM_ROTATIONS); ++rotation) {
        const bool upright = (rotation & 1) != 0, swapped = rotation >= 2;
        if (TURNS[rotation] > 0 && !reach.is_free(SPAWN_X, false, TURNS[rotation])) continue;
        const int colours[] = {position.colours[swapped], position.colours[!swapped]};
        const int last = reach.walk(1, rotation);
        for (int x = reach.walk(-1, rotation); x <= last; ++x) {
            if (reach.tops[x] < 1 + upright || (!upright && reach.tops[x + 1] < 1)) continue;
            Candidate& candidate = candidates[count++];
            candidate.rotation = static_cast<u8>(rotation);
            candidate.column = static_cast<u8>(x);
            (upright ? describe_upright : describe_flat)(position, reach, colours, candidate);
        }
    }
    return count;
}

int walk_tree(const u8* page, const u8* features) {
    // A page that holds no tree ends the walk too: no walk has more splits than fit.
    int at = 0;
    for (int step = 0; step < PAGE_SIZE / 2; ++step) {
        if (page[at] >= LEAF_BASE) return score_leaf(page[at], features[DEPTH]);
        const bool left = features[page[at] >> 4] <= (page[at] & 0x0F);
        at = (left ? at + 2 : page[(at + 1) % PAGE_SIZE]) % PAGE_SIZE;
    }
    return 0;
}

int choose_candidate(const Candidate* candidates, int count, const u8* page) {
    int best = -1, best_value = -1, best_depth = 0;
    for (int index = 0; index < count; ++index) {
        const int value = walk_tree(page, candidates[index].features);
        const int depth = candidates[index].features[DEPTH];
        if (value < best_value || (value == best_value && depth <= best_depth)) continue;
        best = index;
        best_value = value;
        best_depth = depth;
    }
    return best;
}

int find_floor(const u8* field) {
    int cell = 0;
    while (cell < CELLS && field[cell] == TILE_EMPTY) ++cell;
    return cell / COLUMNS;
}

u8 choose_pad(const Fall& fall, int rotation, int column) {
    const bool has_thought = fall.n > THINK_FRAMES;
    const bool turned = fall.rotation == rotation, in_column = fall.x == column;
    if (has_thought && turned && in_column) return BUTTON_DOWN;
    if (fall.frame_counter % TAP_FRAMES != 0) return fall.row + 1 < fall.floor ? BUTTON_DOWN : 0;
    if (!has_thought) return 0;
    u8 pad = 0;
    if (!turned) pad = rotation == 1 ? BUTTON_B : BUTTON_A;
    // LEFT, held while a capsule lies down, would step twice.
    if (in_column || (!turned && rotation == HALF_TURN)) return pad;
    return static_cast<u8>(pad | (fall.x > column ? BUTTON_LEFT : BUTTON_RIGHT));
}

}  // namespace pill::routine
