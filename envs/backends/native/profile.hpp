// Where the time of a batch step goes, for one thread; free of cost where nobody asks.
#pragma once

#include <chrono>
#include <cstdint>

namespace pill {

// In the order of `PARTS` in `envs/backends/native_vector.py`.
enum Part { SCRIPTS, FRAMES, PLANS, OBSERVATIONS, CANDIDATES, RESTARTS, NUM_PARTS };

struct Profile {
    std::int64_t nanoseconds[NUM_PARTS];
};

// Adds its lifetime to a part, and takes it from the part around it.
class Stopwatch {
public:
    Stopwatch(Profile* profile, Part part, Part around = NUM_PARTS)
        : profile_(profile), part_(part), around_(around), start_(now()) {}
    ~Stopwatch() {
        if (profile_ == nullptr) return;
        const std::int64_t elapsed = now() - start_;
        profile_->nanoseconds[part_] += elapsed;
        if (around_ != NUM_PARTS) profile_->nanoseconds[around_] -= elapsed;
    }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;

private:
    std::int64_t now() const {
        if (profile_ == nullptr) return 0;
        const auto time = std::chrono::steady_clock::now().time_since_epoch();
        return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
    }

    Profile* profile_;
    Part part_, around_;
    std::int64_t start_;
};

}  // namespace pill
