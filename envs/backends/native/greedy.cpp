// The scores are sums of doubles in the order of the Python code: drops that look alike must tie
// here as they do there.
#include "greedy.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <limits>

#include "routine.hpp"
#include "rules.hpp"
#include "settle.hpp"

namespace pill {
namespace {

using namespace layout;

constexpr int LINE_LENGTH = 4;
constexpr int SPAWN_X = 3;
constexpr int SPAWN_COLUMNS[] = {SPAWN_X, SPAWN_X + 1};
constexpr int MAX_RUNS_COUNTED = 4;
// A tap is a frame with the button and one without.
constexpr int FRAMES_PER_TAP = 2;

bool is_virus(u8 tile) { return (tile & TYPE_MASK) == TILE_VIRUS; }

bool is_vertical(int rotation) { return (rotation & 1) != 0; }

struct Drop {
    int rotation, column, row;

    int pose() const { return pose_index(rotation, row, column); }
    int last_column() const { return column + (is_vertical(rotation) ? 0 : 1); }
    int first_row() const { return is_vertical(rotation) ? std::max(0, row - 1) : row; }
};

// A row or column of a bottle, from the left or the top.
struct Line {
    const u8* first;
    int step, size;

    u8 operator[](int index) const { return first[index * step]; }
};

Line row_of(const u8* field, int row) { return {field + row * COLUMNS, 1, COLUMNS}; }
Line column_of(const u8* field, int column) { return {field + column, COLUMNS, ROWS}; }

int find_top(const u8* field, int column) {
    const Line line = column_of(field, column);
    int row = 0;
    while (row < ROWS && line[row] == TILE_EMPTY) ++row;
    return row;
}

bool has_line(const Line& line) {
    int run = 0;
    u8 previous = TILE_EMPTY;
    for (int index = 0; index < line.size; ++index) {
        const u8 tile = line[index];
        const u8 colour = tile == TILE_EMPTY ? tile : static_cast<u8>(tile & COLOUR_MASK);
        run = colour == previous ? run + 1 : 1;
        if (run == LINE_LENGTH && colour != TILE_EMPTY) return true;
        previous = colour;
    }
    return false;
}

bool has_virus(const u8* field) { return std::any_of(field, field + CELLS, is_virus); }

class Scorer {
public:
    explicit Scorer(const GreedyWeights& weights) : weights_(weights) {}

    void score(const u8* field) {
        total_ = 0;
        double rows = 0;
        for (int column = 0; column < COLUMNS; ++column) {
            columns_[column] = score_column(field, column);
            total_ += columns_[column];
        }
        for (int row = 0; row < ROWS; ++row) {
            rows_[row] = score_row(field, row);
            rows += rows_[row];
        }
        total_ += rows;
    }

    double total() const { return total_; }

    // A drop that makes no line, by the columns and rows that it touches.
    double score_resting(const u8* after, const Drop& drop) const {
        double score = total_;
        for (int column = drop.column; column <= drop.last_column(); ++column) {
            score += score_column(after, column) - columns_[column];
        }
        for (int row = drop.first_row(); row <= drop.row; ++row) {
            score += score_row(after, row) - rows_[row];
        }
        return score + score_spawn(after);
    }

    // A drop that makes a line: what it clears, and the bottle once it is at rest.
    double score_clear(u8* after, const Drop& drop) const {
        const Settled settled = settle(after, drop.row);
        Scorer bottle(weights_);
        bottle.score(after);
        double score = bottle.total();
        score += weights_.virus * settled.viruses + weights_.extra_line * (settled.lines - 1);
        if (!has_virus(after)) return score + weights_.last_virus;
        return score + score_spawn(after);
    }

private:
    double score_spawn(const u8* field) const {
        const bool blocked = std::any_of(std::begin(SPAWN_COLUMNS), std::end(SPAWN_COLUMNS),
                                         [&](int column) { return field[column] != TILE_EMPTY; });
        return blocked ? weights_.blocked_spawn : 0.0;
    }

    // Danger to the spawn, what lies on the column's viruses, and the run on top.
    double score_column(const u8* field, int column) const {
        const Line line = column_of(field, column);
        const int top = find_top(field, column), height = ROWS - top;
        if (height == 0) return 0.0;
        double score = 0;
        if (column == SPAWN_COLUMNS[0] || column == SPAWN_COLUMNS[1]) {
            const double above = height - weights_.safe_height;
            if (above > 0) score += weights_.spawn_height * (above * above);
        }
        int runs = 0, changes = 0, buried = 0, gaps = 0;
        u8 previous = TILE_EMPTY;
        for (int row = top; row < ROWS; ++row) {
            const u8 tile = line[row];
            if (tile == TILE_EMPTY) {
                ++gaps;
                previous = TILE_EMPTY;
                continue;
            }
            const u8 colour = tile & COLOUR_MASK;
            if (colour != previous) {
                ++runs;
                changes += previous != TILE_EMPTY;
                previous = colour;
            }
            if (is_virus(tile)) buried += std::min(runs - 1, MAX_RUNS_COUNTED);
        }
        score += weights_.colour_change * changes + weights_.covered_gap * gaps;
        return score + weights_.buried_virus * buried + score_top_run(line, top);
    }

    double score_top_run(const Line& line, int top) const {
        const u8 colour = line[top] & COLOUR_MASK;
        const int height = ROWS - top;
        bool virus = is_virus(line[top]);
        int length = 1;
        while (length < std::min(height, LINE_LENGTH - 1)) {
            const u8 tile = line[top + length];
            if (tile == TILE_EMPTY || (tile & COLOUR_MASK) != colour) break;
            virus |= is_virus(tile);
            ++length;
        }
        if (top < LINE_LENGTH - length) return 0.0;
        return (virus ? weights_.top_virus_run : weights_.top_run)[length - 1];
    }

    // Each four cells of a row in which a line is still possible.
    double score_row(const u8* field, int row) const {
        const Line line = row_of(field, row);
        double score = 0;
        for (int start = 0; start <= COLUMNS - LINE_LENGTH; ++start) {
            int filled = 0;
            u8 colour = TILE_EMPTY;
            bool same = true, virus = false;
            for (int index = start; index < start + LINE_LENGTH; ++index) {
                const u8 tile = line[index];
                if (tile == TILE_EMPTY) continue;
                same &= filled == 0 || (tile & COLOUR_MASK) == colour;
                colour = tile & COLOUR_MASK;
                virus |= is_virus(tile);
                ++filled;
            }
            if (filled < 2 || !same) continue;
            const double* points = virus ? weights_.row_virus_window : weights_.row_window;
            score += points[std::min(filled, LINE_LENGTH - 1) - 2];
        }
        return score;
    }

    const GreedyWeights& weights_;
    double columns_[COLUMNS], rows_[ROWS];
    double total_ = 0;
};

// Write both halves; a standing capsule in the top row loses its upper one.
void place(u8* field, const Drop& drop, u8 first, u8 second) {
    const int cell = drop.row * COLUMNS + drop.column;
    const bool swapped = drop.rotation >= 2;
    const u8 pivot = swapped ? second : first, other = swapped ? first : second;
    if (!is_vertical(drop.rotation)) {
        field[cell] = static_cast<u8>(TILE_LEFT | pivot);
        field[cell + 1] = static_cast<u8>(TILE_RIGHT | other);
    } else if (drop.row > 0) {
        field[cell] = static_cast<u8>(TILE_BOTTOM | pivot);
        field[cell - COLUMNS] = static_cast<u8>(TILE_TOP | other);
    } else {
        field[cell] = static_cast<u8>(TILE_SINGLE | (pivot & COLOUR_MASK));
    }
}

bool makes_line(const u8* after, const Drop& drop) {
    for (int column = drop.column; column <= drop.last_column(); ++column) {
        if (has_line(column_of(after, column))) return true;
    }
    for (int row = drop.first_row(); row <= drop.row; ++row) {
        if (has_line(row_of(after, row))) return true;
    }
    return false;
}

// Do taps cross the columns on the way before gravity lets them block the path?
bool can_reach(const Drop& drop, const int* tops, int frames_per_row) {
    const int step = drop.column > SPAWN_X ? 1 : -1;
    const int leading_half = step > 0 && !is_vertical(drop.rotation) ? 1 : 0;
    for (int taps = 0; taps < std::abs(drop.column - SPAWN_X); ++taps) {
        const int row = taps * FRAMES_PER_TAP / frames_per_row;
        if (tops[SPAWN_X + step * (taps + 1) + leading_half] <= row) return false;
    }
    return true;
}

// The pad byte that brings the capsule closer to its drop; see `policies.greedy.steer_capsule`.
u8 steer(const Player& player, u8 held, const Drop& drop) {
    const int shift = drop.column - player.x;
    const int turns = (drop.rotation - player.rotation) & (NUM_ROTATIONS - 1);
    if (shift == 0 && turns == 0) return BUTTON_DOWN;
    u8 wanted = 0;
    if (turns != 0) wanted |= turns == NUM_ROTATIONS - 1 ? BUTTON_A : BUTTON_B;
    const bool lies_down = turns != 0 && is_vertical(player.rotation);
    if (shift < 0 && !lies_down) wanted |= BUTTON_LEFT;
    if (shift > 0) wanted |= BUTTON_RIGHT;
    return static_cast<u8>(wanted & ~held);
}

// Prepare a solo round in which the capsule falls.
void stage_capsule(u8* ram, const FallingCapsule& capsule) {
    ram[MODE] = MODE_PLAY;
    ram[SOLO] = 1;
    ram[CROWNS_NEEDED] = CROWNS_TO_WIN;
    ram[PAD1_HELD] = capsule.held;
    ram[FRAME_COUNTER] = capsule.frame_counter;
    const Seat seat{ram, 0};
    Player& player = seat.player();
    player.viruses = 1;
    // The cartridge adds in a byte, so that indices below LOW are reached by going round.
    player.speed = SPEED_LOW;
    player.speed_ups = static_cast<u8>(capsule.gravity_index - SPEED_BASE_LOW);
    player.x = capsule.x;
    player.y = capsule.y;
    player.rotation = capsule.rotation;
    player.gravity_counter = capsule.gravity_counter;
    player.das_counter = capsule.das_counter;
    player.next_action = ACTION_FALLING;
    std::memcpy(seat.field(), capsule.field, CELLS);
}

// Write the pads that `choose(player, held, n)` gives for the n-th frame, up to the lock; returns
// their number.
template <typename Choose>
int play_to_lock(const FallingCapsule& capsule, u8* pads, const Choose& choose) {
    u8 ram[RAM_SIZE] = {};
    stage_capsule(ram, capsule);
    const Player& player = Seat{ram, 0}.player();
    int frames = 0;
    while (player.next_action == ACTION_FALLING && frames < MAX_SCRIPT_FRAMES) {
        pads[frames] = choose(player, ram[PAD1_HELD], frames + 1);
        step_frame(ram, pads[frames], 0);
        ++frames;
    }
    return frames;
}

}  // namespace

int choose_drop(const FallingCapsule& capsule, u8 first, u8 second, const GreedyWeights& weights) {
    const u8* field = capsule.field;
    const int frames_per_row = GRAVITY_TABLE[capsule.gravity_index] + 1;
    int tops[COLUMNS];
    for (int column = 0; column < COLUMNS; ++column) tops[column] = find_top(field, column);
    Scorer before(weights);
    before.score(field);
    Drop best{0, SPAWN_X, 0};
    double best_score = -std::numeric_limits<double>::infinity();
    for (int rotation = 0; rotation < (first == second ? 2 : NUM_ROTATIONS); ++rotation) {
        const int columns = COLUMNS - (is_vertical(rotation) ? 0 : 1);
        for (int column = 0; column < columns; ++column) {
            const int top = is_vertical(rotation) ? tops[column]
                                                  : std::min(tops[column], tops[column + 1]);
            const Drop drop{rotation, column, top - 1};
            if (top == 0 || !can_reach(drop, tops, frames_per_row)) continue;
            u8 after[CELLS];
            std::memcpy(after, field, CELLS);
            place(after, drop, first, second);
            const double score = makes_line(after, drop) ? before.score_clear(after, drop)
                                                         : before.score_resting(after, drop);
            if (score > best_score) {
                best = drop;
                best_score = score;
            }
        }
    }
    return best.pose();
}

int steer_capsule(const FallingCapsule& capsule, int pose, u8* pads) {
    const Drop drop{pose / CELLS, pose % COLUMNS, pose % CELLS / COLUMNS};
    return play_to_lock(capsule, pads, [&](const Player& player, u8 held, int) {
        return steer(player, held, drop);
    });
}

int route_capsule(const FallingCapsule& capsule, int pose, u8* pads) {
    const int floor = routine::find_floor(capsule.field);
    return play_to_lock(capsule, pads, [&](const Player& player, u8, int n) {
        const routine::Fall fall{n,          capsule.frame_counter + n, TOP_Y - player.y,
                                 player.rotation, player.x,             floor};
        return routine::choose_pad(fall, pose / CELLS, pose % COLUMNS);
    });
}

}  // namespace pill
