// Placement search, one or two capsules deep.
#include "search.hpp"

#include <algorithm>
#include <cstring>

namespace pill {
namespace {

using namespace layout;

// More than any capsule of any bottle has, see `envs/candidates.py`.
constexpr int CAPACITY = 192;
constexpr int MIN_ATTACK = 2;
constexpr int MAX_ATTACK = 4;
constexpr int MAX_LOOK_AHEAD_FRAMES = 4000;
// A counter that is past every speed's limit: the capsule falls in the next frame.
constexpr std::uint8_t FALLS_NOW = 0xFE;
constexpr std::uint8_t IDLE = 0xFF;
constexpr std::uint8_t HALVES = 2;

// Terms of a linear score that are not zero.
struct Terms {
    int count = 0;
    int features[NUM_FEATURES];
    float weights[NUM_FEATURES];

    explicit Terms(const float* all) {
        for (int feature = 0; feature < NUM_FEATURES; ++feature) {
            if (all[feature] == 0.0f) continue;
            features[count] = feature;
            weights[count++] = all[feature];
        }
    }
    float apply(const std::uint8_t* row) const {
        float sum = 0.0f;
        for (int term = 0; term < count; ++term) {
            sum += weights[term] * static_cast<float>(row[features[term]]);
        }
        return sum;
    }
};

struct Candidate {
    float capsule;  // what the placement earns
    float value;    // with the bottle that it leaves
    int pose;
    int frames;
    bool clears;
};

struct Candidates {
    int count = 0;
    Candidate list[CAPACITY];
};

// One search: the position as a solo round's RAM, and how it is judged.
class Searcher {
public:
    Searcher(const SearchPosition& position, const SearchWeights& weights)
        : capsule_terms_(weights.capsule),
          bottle_terms_(weights.bottle),
          garbage_sent_(has_opponent(position) ? weights.garbage_sent : 0.0f),
          incoming_(position.incoming >= MIN_ATTACK) {
        write_ram(position);
    }

    int run(const SearchConfig& config, float* values) {
        Candidates first;
        list_candidates(ram_, 2 * CLEAR_VALUE, first);
        const bool deep = config.depth > 1;
        int looked_into = first.count;
        if (deep && config.width < first.count) {
            std::partial_sort(first.list, first.list + config.width, first.list + first.count,
                              comes_before);
            looked_into = config.width;
        }
        const Candidate* best = nullptr;
        for (int index = 0; index < looked_into; ++index) {
            Candidate& candidate = first.list[index];
            if (!candidate.clears && (deep || incoming_)) look_into(candidate, deep);
            if (values != nullptr) values[candidate.pose] = candidate.value;
            if (best == nullptr || comes_before(candidate, *best)) best = &candidate;
        }
        return best != nullptr ? best->pose : NO_POSE;
    }

private:
    static bool has_opponent(const SearchPosition& position) {
        return position.opponent_capsules[0] > 1 || position.opponent_capsules[1] != 0;
    }

    static bool comes_before(const Candidate& one, const Candidate& other) {
        return one.value > other.value || (one.value == other.value && one.pose < other.pose);
    }

    // The opponent is there to have queued its garbage; a solo round lets it do nothing else.
    void write_ram(const SearchPosition& position) {
        std::memset(ram_, 0, sizeof ram_);
        ram_[MODE] = MODE_PLAY;
        ram_[SOLO] = 1;
        ram_[CROWNS_NEEDED] = CROWNS_TO_WIN;
        ram_[FRAME_COUNTER] = position.frame_counter;
        ram_[PAD1_HELD] = position.held;
        const Seat own{ram_, 0}, opponent{ram_, 1};
        std::memcpy(own.field(), position.field, CELLS);
        std::memset(opponent.field(), TILE_EMPTY, CELLS);
        Player& player = own.player();
        player.status = IDLE;
        player.colour_first = position.colours[0];
        player.colour_second = position.colours[1];
        player.next_first = position.next_colours[0];
        player.next_second = position.next_colours[1];
        player.size = player.next_size = HALVES;
        player.x = position.x;
        player.y = position.y;
        player.rotation = position.rotation & (NUM_ROTATIONS - 1);
        player.gravity_counter = position.gravity_counter;
        player.das_counter = position.das_counter;
        player.speed = position.speed;
        player.speed_ups = position.speed_ups;
        player.capsules_low = position.capsules_low;
        player.viruses = position.viruses;
        player.next_action = ACTION_FALLING;
        Player& other = opponent.player();
        other.status = IDLE;
        other.viruses = 1;
        other.garbage_out = position.incoming;
        std::copy_n(position.attack_colours, MAX_ATTACK, other.attack_colours);
    }

    // Judge every pose of the falling capsule of `ram`.
    void list_candidates(std::uint8_t* ram, float clear_value, Candidates& candidates) const {
        const Seat seat{ram, 0};
        const Player& player = seat.player();
        CandidateInput input{};
        std::memcpy(input.field, seat.field(), CELLS);
        input.colours[0] = player.colour_first;
        input.colours[1] = player.colour_second;
        input.next_colours[0] = player.next_first;
        input.next_colours[1] = player.next_second;
        std::uint16_t frames[NUM_POSES];
        plan_poses(read_capsule(seat), frames);
        std::uint8_t rows[CAPACITY * NUM_FEATURES];
        std::int16_t poses[CAPACITY];
        candidates.count = write_candidates(input, frames, CAPACITY, rows, poses);
        const bool one_colour = input.colours[0] == input.colours[1];
        for (int index = 0; index < candidates.count; ++index) {
            Candidate& candidate = candidates.list[index];
            judge(rows + index * NUM_FEATURES, clear_value, candidate);
            candidate.pose = poses[index];
            candidate.frames = count_frames(frames, poses[index], one_colour);
        }
    }

    // A pose of a one-colour capsule stands for both ways to lie in it.
    static int count_frames(const std::uint16_t* frames, int pose, bool one_colour) {
        const int straight = frames[pose];
        const int turned = one_colour ? frames[pose + NUM_POSES / 2] : 0;
        if (straight == 0 || turned == 0) return straight + turned;
        return std::min(straight, turned);
    }

    void judge(const std::uint8_t* row, float clear_value, Candidate& candidate) const {
        candidate.capsule = capsule_terms_.apply(row);
        const int lines = row[F_lines];
        if (lines >= MIN_ATTACK) {
            candidate.capsule += garbage_sent_ * static_cast<float>(std::min(lines, MAX_ATTACK));
        }
        candidate.clears = row[F_clears_bottle] != 0;
        candidate.value = candidate.capsule;
        if (candidate.clears) {
            candidate.value += clear_value;
        } else {
            candidate.value += bottle_terms_.apply(row);
            if (row[F_blocks_spawn] != 0) candidate.value += TOP_OUT_VALUE;
        }
    }

    // Play the placement, and if `deep` judge it by the best that the next capsule can do.
    void look_into(Candidate& candidate, bool deep) const {
        std::uint8_t ram[RAM_SIZE];
        std::memcpy(ram, ram_, RAM_SIZE);
        if (!play(ram, candidate.pose, candidate.frames)) {
            candidate.value = candidate.capsule + TOP_OUT_VALUE;
            return;
        }
        if (!deep) return;
        if (Seat{ram, 0}.player().viruses == 0) {
            candidate.value = candidate.capsule + 2 * CLEAR_VALUE;
            return;
        }
        Candidates second;
        list_candidates(ram, CLEAR_VALUE, second);
        float best = TOP_OUT_VALUE;
        for (int index = 0; index < second.count; ++index) {
            best = std::max(best, second.list[index].value);
        }
        candidate.value = candidate.capsule + best;
    }

    // Lock the capsule in `pose`, `frames` from now, and run to the next one's first frame of
    // control or to the last virus. Returns whether the seat is still in the game.
    static bool play(std::uint8_t* ram, int pose, int frames) {
        Player& player = Seat{ram, 0}.player();
        player.rotation = static_cast<std::uint8_t>(pose / CELLS);
        player.x = static_cast<std::uint8_t>(pose % COLUMNS);
        player.y = static_cast<std::uint8_t>(ROWS - 1 - pose % CELLS / COLUMNS);
        player.gravity_counter = FALLS_NOW;
        ram[FRAME_COUNTER] = static_cast<std::uint8_t>(ram[FRAME_COUNTER] + frames - 1);
        for (int frame = 0; frame < MAX_LOOK_AHEAD_FRAMES; ++frame) {
            step_frame(ram, 0, 0);
            if (player.topped_out != 0) return false;
            if (player.next_action == ACTION_FALLING || player.viruses == 0) return true;
        }
        return false;
    }

    Terms capsule_terms_, bottle_terms_;
    float garbage_sent_;
    bool incoming_;
    std::uint8_t ram_[RAM_SIZE];
};

}  // namespace

int search(const SearchPosition& position, const SearchWeights& weights,
           const SearchConfig& config, float* values) {
    return Searcher(position, weights).run(config, values);
}

}  // namespace pill
