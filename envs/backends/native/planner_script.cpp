// The pads that bring a capsule to a pose: the search again, read backwards from the lock.
#include <cstring>

#include "planner.hpp"
#include "reach_search.hpp"

namespace pill {
namespace {

using namespace layout;
using namespace reach;

struct CohortRecord {
    int row;
    int time;        // of the entry
    int last;        // last frame in the row
    int first;       // index of the first set of states
    int count;       // sets; the last one stands for all later frames
    int first_held;
    int held_count;  // held runs, from the entry on
};

// Keeps all sets of states, and the earliest lock in one pose, or in one of two. Where there is no
// room for all there is no script; the most that a search for it came up with fills a third.
class Record {
public:
    static constexpr int MAX_COHORTS = 256;
    static constexpr int MAX_SETS = 2048;

    Record(int pose, bool one_colour)
        : target_row_(pose % CELLS / COLUMNS),
          target_(1u << (pose / CELLS * COLUMNS + pose % COLUMNS)) {
        if (one_colour) target_ |= target_ >> 16 | target_ << 16;
    }

    void begin_cohort(int row, int time, int last) {
        overflow_ |= cohorts_ == MAX_COHORTS;
        if (overflow_) return;
        cohort_[cohorts_++] = CohortRecord{row, time, last, sets_, 0, helds_, 0};
    }

    void frame(const States& states, const HeldRun* held) {
        overflow_ |= sets_ == MAX_SETS;
        if (overflow_) return;
        CohortRecord& cohort = cohort_[cohorts_ - 1];
        if (held != nullptr) {
            ++cohort.held_count;
            held_[helds_++] = *held;
        }
        ++cohort.count;
        set_[sets_++] = states;
    }

    void lock(int row, Bits poses, int time) {
        if (overflow_ || row != target_row_ || (poses & target_) == 0) return;
        if (lock_time_ != 0 && lock_time_ <= time) return;
        lock_time_ = time;
        lock_cohort_ = cohorts_ - 1;
    }

    Bits target() const { return target_; }
    Side held_side() const { return held_[0].side(); }
    int target_row() const { return target_row_; }
    int lock_time() const { return lock_time_; }
    int lock_cohort() const { return lock_cohort_; }
    int cohorts() const { return cohorts_; }
    const CohortRecord& cohort(int index) const { return cohort_[index]; }

    const States& states(const CohortRecord& cohort, int time) const {
        return set_[cohort.first + std::min(time - cohort.time, cohort.count - 1)];
    }

    // The held run of a cohort at a time, or null.
    const HeldRun* held(const CohortRecord& cohort, int time) const {
        const int place = time - cohort.time;
        return place < cohort.held_count ? held_ + cohort.first_held + place : nullptr;
    }

private:
    int target_row_;
    Bits target_;
    int lock_time_ = 0, lock_cohort_ = 0;
    bool overflow_ = false;
    int cohorts_ = 0, sets_ = 0, helds_ = 0;
    CohortRecord cohort_[MAX_COHORTS];
    States set_[MAX_SETS];
    HeldRun held_[MAX_HELD_FRAMES + ROWS];
};

// A state on the way, with what led to it still to be found.
struct Step {
    int cohort;
    int time;
    Bits pose;
    int turn;
    bool holds;  // belongs to the run that has been held from the start, and then
    int side;    // this is its counter
};

// Poses from which one frame can lead to `pose` by a turn: one rotation, the columns around.
Bits list_near(Bits pose, int turn) {
    const Bits columns = pose >> 2 | pose >> 1 | pose | pose << 1 | pose << 2 ;
    if (turn == CLOCKWISE) return columns << 8 | columns >> 24;
    if (turn == COUNTER) return columns >> 8 | columns << 24;
    return columns;
}

// Reads the way back from the lock, a frame at a time.
class Reader {
public:
    Reader(const Record& record, const Field& field, int odd_time)
        : record_(record), field_(field), odd_time_(odd_time) {}

    // Write the pads of all frames up to the lock; returns whether the way back was found.
    bool read(std::uint8_t* pads) const {
        const int time = record_.lock_time();
        const bool falls = time > record_.cohort(record_.lock_cohort()).last;
        pads[time - 1] = falls ? 0 : BUTTON_DOWN;
        Step step{record_.lock_cohort(), time - 1, 0, 0, false, 0};
        find_target(step);
        while (step.time > 0) {
            if (!go_back(step, pads[step.time - 1])) return false;
        }
        return true;
    }

private:
    // Fill in a state with the target pose, as little pressed as there is.
    void find_target(Step& step) const {
        const CohortRecord& cohort = record_.cohort(step.cohort);
        const States& states = record_.states(cohort, step.time);
        step.pose = states.poses() & record_.target();
        if (const HeldRun* held = record_.held(cohort, step.time)) {
            step.pose |= held->poses() & record_.target();
        }
        step.pose &= -step.pose;
        for (step.turn = 0; step.turn < NUM_TURNS; ++step.turn) {
            for (step.side = NEITHER; step.side <= STUCK_LEFT; ++step.side) {
                if ((states.by_turn[step.turn][step.side] & step.pose) != 0) return;
            }
        }
        step.holds = true;
        const HeldRun& held = *record_.held(cohort, step.time);
        for (step.turn = 0; step.turn < NUM_TURNS; ++step.turn) {
            for (step.side = 0; step.side < CHARGED; ++step.side) {
                if ((held.poses(step.side, step.turn) & step.pose) != 0) return;
            }
        }
    }

    // Replace `step` by a state before it, and write the pad of the frame between them. Returns
    // whether there is one, as there always should be.
    bool go_back(Step& step, std::uint8_t& pad) const {
        constexpr std::uint8_t turns[] = {0, BUTTON_A, BUTTON_B, BUTTON_A | BUTTON_B};
        constexpr std::uint8_t sides[] = {0, BUTTON_LEFT, BUTTON_RIGHT, BUTTON_LEFT};
        const CohortRecord& own = record_.cohort(step.cohort);
        const RowMasks& row = field_.rows[own.row];
        const int side = step.holds ? record_.held_side() : step.side;
        pad = static_cast<std::uint8_t>(turns[step.turn] | sides[side]);
        if (step.time > own.time) return find_before(step, step.cohort, row, ~0u);
        // It entered the row in this frame: by gravity after a cohort's last one, or softly.
        const bool soft = side == NEITHER && (step.time & 1) == odd_time_;
        for (int index = 0; index < record_.cohorts(); ++index) {
            const CohortRecord& above = record_.cohort(index);
            const bool falls = above.last == step.time - 1;
            const bool drops = soft && above.time < step.time && above.last >= step.time;
            if (above.row != own.row - 1 || !(falls || drops)) continue;
            if (!find_before(step, index, row, row.free)) continue;
            if (!falls) pad |= BUTTON_DOWN;
            return true;
        }
        return false;
    }

    // Look among the poses of a cohort in `allowed` for one that leads to `step` in a frame in
    // `row`; if there is one, put it into `step`.
    bool find_before(Step& step, int index, const RowMasks& row, Bits allowed) const {
        const CohortRecord& cohort = record_.cohort(index);
        const States& states = record_.states(cohort, step.time - 1);
        const Bits near = list_near(step.pose, step.turn) & allowed;
        for (int turn = 0; turn < NUM_TURNS && !step.holds; ++turn) {
            for (int side = NEITHER; side <= STUCK_LEFT; ++side) {
                for (Bits left = states.by_turn[turn][side] & near; left != 0; left &= left - 1) {
                    const Bits pose = left & -left;
                    States one{};
                    one.by_turn[turn][side] = pose;
                    const States next = advance(one, row);
                    if ((next.by_turn[step.turn][step.side] & step.pose) == 0) continue;
                    step = Step{index, step.time - 1, pose, turn, false, side};
                    return true;
                }
            }
        }
        const HeldRun* held = record_.held(cohort, step.time - 1);
        return held != nullptr && find_held_before(step, index, row, *held, near);
    }

    bool find_held_before(Step& step, int index, const RowMasks& row, const HeldRun& held,
                          Bits near) const {
        for (int turn = 0; turn < NUM_TURNS; ++turn) {
            for (int counter = 0; counter < CHARGED; ++counter) {
                for (Bits left = held.poses(counter, turn) & near; left != 0; left &= left - 1) {
                    const Bits pose = left & -left;
                    const HeldRun one(held.side(), counter, turn, pose);
                    const Bits next = step.holds
                                          ? one.advance(row).poses(step.side, step.turn)
                                          : one.release(row).by_turn[step.turn][step.side];
                    if ((next & step.pose) == 0) continue;
                    step = Step{index, step.time - 1, pose, turn, true, counter};
                    return true;
                }
            }
        }
        return false;
    }

    const Record& record_;
    const Field& field_;
    int odd_time_;
};

}  // namespace

int plan_script(const FallingCapsule& capsule, int pose, bool one_colour, std::uint8_t* pads) {
    if (!lies_inside(capsule) || pose < 0 || pose >= NUM_POSES) return 0;
    Record record(pose, one_colour);
    Search<Record> search(capsule, record);
    search.run(record.target_row());
    if (record.lock_time() == 0) return 0;
    const bool found = Reader(record, search.field(), search.odd_time()).read(pads);
    return found ? record.lock_time() : 0;
}

}  // namespace pill
