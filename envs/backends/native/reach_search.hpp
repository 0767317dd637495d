// The planner's search: row by row from the top, frame by frame within a row, on bit sets.
//
// A row is entered by a drop, which resets the gravity counter, so all states that enter it in one
// frame share their counter: a cohort. Whoever enters a row earlier in the same state can do later
// whatever the later one can (an odd delay is made up before the next soft drop), so a state
// enters a row once, and the search stays small.
#pragma once

#include <algorithm>
#include <cstring>

#include "planner.hpp"
#include "reach_held.hpp"
#include "reach_sets.hpp"

namespace pill::reach {

// States that enter a row in the same frame.
struct Cohort {
    States states;
    int time;  // frames from now
    int age;   // gravity counter
};

// The cohorts of one row by time. The fullest list that a search for one came up with has 17; what
// comes after a full one is not found.
struct Entries {
    static constexpr int CAPACITY = 64;
    int count = 0;
    Cohort cohorts[CAPACITY];

    void add(const States& states, int time) {
        int place = count;
        while (place > 0 && cohorts[place - 1].time > time) --place;
        if (place > 0 && cohorts[place - 1].time == time) {
            cohorts[place - 1].states.add(states);
            return;
        }
        if (count == CAPACITY) return;
        std::copy_backward(cohorts + place, cohorts + count, cohorts + count + 1);
        cohorts[place] = Cohort{states, time, 0};
        ++count;
    }
};

struct Field {
    RowMasks rows[layout::ROWS + 1];  // the last one is the floor

    explicit Field(const std::uint8_t* tiles);
};

// `Recorder` is told all there is to know of a way to a pose:
//   begin_cohort(row, time, last): a cohort enters a row and leaves it after frame `last`;
//   frame(states, held): where it is then and after each frame, the last ones being all the same,
//     with the run that has been held from the start, if it is among them;
//   lock(row, poses, time): some of it lock in frame `time`.
template <class Recorder>
class Search {
public:
    Search(const FallingCapsule& capsule, Recorder& recorder)
        : recorder_(recorder),
          field_(capsule.field),
          frames_per_row_(layout::GRAVITY_TABLE[capsule.gravity_index] + 1),
          odd_time_((capsule.frame_counter & 1) ^ 1) {
        const Bits pose = 1u << (capsule.rotation * layout::COLUMNS + capsule.x);
        start_row_ = layout::ROWS - 1 - capsule.y;
        if ((field_.rows[start_row_].free & pose) == 0) return;
        const int turned = ((capsule.held & layout::BUTTON_A) != 0 ? CLOCKWISE : UNTURNED) |
                           ((capsule.held & layout::BUTTON_B) != 0 ? COUNTER : UNTURNED);
        Cohort start{};
        // A counter of 255 goes round to 0 in the next frame.
        start.age = capsule.gravity_counter == 0xFF
                        ? -1
                        : std::min<int>(capsule.gravity_counter, frames_per_row_ - 1);
        if ((capsule.held & (layout::BUTTON_LEFT | layout::BUTTON_RIGHT)) != 0) {
            held_ = HeldRun(held_side(capsule), std::min<int>(capsule.das_counter, CHARGED - 1),
                            turned, pose);
            falls_held_ = true;
        } else {
            start.states.by_turn[turned] = Words{pose, 0, 0, 0};
        }
        entries_[start_row_ & 1].cohorts[0] = start;
        entries_[start_row_ & 1].count = 1;
    }

    // Search the rows down to `last_row`.
    void run(int last_row = layout::ROWS - 1) {
        for (int row = start_row_; row <= last_row; ++row) run_row(row);
    }

    const Field& field() const { return field_; }
    // Parity of the frames, counted from now, that allow a soft drop.
    int odd_time() const { return odd_time_; }

private:
    // NEITHER where a held side is of no use: both are, or its counter would go round to 0.
    static Side held_side(const FallingCapsule& capsule) {
        const bool left = (capsule.held & layout::BUTTON_LEFT) != 0;
        const bool right = (capsule.held & layout::BUTTON_RIGHT) != 0;
        if ((left && right) || capsule.das_counter == 0xFF) return NEITHER;
        return left ? LEFT : RIGHT;
    }

    bool can_soft_drop(int time) const { return (time & 1) == odd_time_; }

    void run_row(int row) {
        const Entries& entries = entries_[row & 1];
        below_ = &entries_[(row + 1) & 1];
        below_->count = 0;
        // The held run leaves its cohort by falling alone, so one cohort of a row has it.
        const bool enters_held = falls_held_;
        const int held_time = held_time_;
        falls_held_ = false;
        States seen{};
        for (int index = 0; index < entries.count; ++index) {
            Cohort cohort = entries.cohorts[index];
            // A state with no button down can do what the same pose can with any.
            const Words known = spread(word_of(seen.by_turn[UNTURNED], NEITHER));
            for (int turn = 0; turn < NUM_TURNS; ++turn) {
                cohort.states.by_turn[turn] &= ~(seen.by_turn[turn] | known);
                seen.by_turn[turn] |= cohort.states.by_turn[turn];
            }
            const bool holds = enters_held && cohort.time == held_time;
            if (holds || cohort.states.poses() != 0) run_cohort(row, cohort, holds);
        }
    }

    // Follow a cohort from its entry to the frame in which gravity takes it out of the row.
    void run_cohort(int row, const Cohort& cohort, bool holds) {
        const RowMasks& masks = field_.rows[row];
        States states = cohort.states;
        Bits left[NUM_TURNS] = {};  // poses that have left the row by a soft drop
        int time = cohort.time;
        const int last = time + frames_per_row_ - 1 - cohort.age;
        recorder_.begin_cohort(row, time, last);
        recorder_.frame(states, holds ? &held_ : nullptr);
        while (time < last) {
            ++time;
            if (can_soft_drop(time)) drop_softly(row, time, states, holds, left);
            States next = advance(states, masks);
            if (holds) {
                next.add(held_.release(masks));
                held_ = held_.advance(masks);
                holds = time < MAX_HELD_FRAMES && held_.poses() != 0;
            } else if (next == states) {
                // Nothing new comes any more: only the next soft drop is left to do.
                if (time < last && can_soft_drop(time + 1)) {
                    drop_softly(row, time + 1, states, holds, left);
                }
                break;
            }
            states = next;
            recorder_.frame(states, holds ? &held_ : nullptr);
        }
        fall(row, last + 1, states, holds, left);
    }

    void drop_softly(int row, int time, const States& states, bool holds,
                     Bits (&left)[NUM_TURNS]) {
        Bits poses[NUM_TURNS], all = 0, fresh = 0;
        for (int turn = 0; turn < NUM_TURNS; ++turn) {
            poses[turn] = states.poses(turn);
            if (holds) poses[turn] |= held_.poses(turn);
            all |= poses[turn];
            fresh |= poses[turn] & ~left[turn];
            left[turn] |= poses[turn];
        }
        if (fresh == 0) return;
        const RowMasks& under = field_.rows[row + 1];
        recorder_.lock(row, fresh & ~under.free, time);
        if ((all & under.free) != 0) below_->add(soft_drop(poses, under), time);
    }

    void fall(int row, int time, const States& states, bool holds, const Bits (&left)[NUM_TURNS]) {
        const RowMasks& under = field_.rows[row + 1];
        const Bits poses = states.poses() | (holds ? held_.poses() : 0);
        const Bits locked = left[0] | left[1] | left[2] | left[3];
        recorder_.lock(row, poses & ~under.free & ~locked, time);
        if ((poses & under.free) == 0) return;
        States fallen = advance(states.within(under.free), under);
        if (holds) {
            held_ = held_.within(under.free);
            fallen.add(held_.release(under));
            held_ = held_.advance(under);
            falls_held_ = held_.poses() != 0;
            held_time_ = time;
        }
        below_->add(fallen, time);
    }

    Recorder& recorder_;
    Field field_;
    int frames_per_row_;
    int odd_time_;
    int start_row_;
    HeldRun held_;
    bool falls_held_ = false;  // the held run enters the next row,
    int held_time_ = 0;        // in this frame
    Entries entries_[2];
    Entries* below_ = nullptr;
};

}  // namespace pill::reach
