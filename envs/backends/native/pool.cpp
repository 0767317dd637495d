// Each thread begins with the same games in every call, so that they stay in its cache, and then
// helps the others, so that none waits for one that the system has put aside.
//
// A batch may take less time than waking a thread does. So whoever waits looks for the end of its
// wait for a short while before it sleeps; an idle pool costs no processor time.
#include "pool.hpp"

#include <chrono>

namespace pill {
namespace {

constexpr int PARTS = 16;  // of each share
constexpr std::chrono::microseconds PATIENCE{60};
constexpr int LOOKS_BETWEEN_CLOCKS = 64;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Look again and again, for a short while; returns whether it came true.
template <typename Condition>
bool comes_soon(const Condition& condition) {
    const auto start = std::chrono::steady_clock::now();
    do {
        for (int look = 0; look < LOOKS_BETWEEN_CLOCKS; ++look) {
            if (condition()) return true;
            pause();
        }
    } while (std::chrono::steady_clock::now() - start < PATIENCE);
    return condition();
}

}  // namespace

Pool::Pool(int threads) : shares_(threads) {
    try {
        for (int index = 1; index < threads; ++index) {
            workers_.emplace_back([this, index] { serve(index); });
        }
    } catch (...) {
        stop();
        throw;
    }
}

Pool::~Pool() { stop(); }

void Pool::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    start_.notify_all();
    for (std::thread& worker : workers_) worker.join();
}

void Pool::run_erased(std::int64_t games, const void* work, Call call) {
    const std::lock_guard only(one_caller_);
    work_ = work;
    call_ = call;
    games_ = games;
    unfinished_.store(PARTS * static_cast<int>(shares_.size()), std::memory_order_relaxed);
    // A part can be claimed from here on, so all that it needs is written before.
    for (Share& share : shares_) share.parts_left.store(PARTS, std::memory_order_release);
    ++round_;
    // A worker counts itself a sleeper before it looks at `round_` for the last time.
    if (sleepers_ > 0) {
        { const std::lock_guard lock(mutex_); }
        start_.notify_all();
    }
    work_from(0);
    wait_for_end();
}

void Pool::wait_for_end() {
    const auto is_done = [this] { return unfinished_.load(std::memory_order_acquire) == 0; };
    if (comes_soon(is_done)) return;
    std::unique_lock lock(mutex_);
    done_.wait(lock, is_done);
}

// Run what is left of all shares, that of thread `index` first.
void Pool::work_from(int index) {
    const int threads = static_cast<int>(shares_.size());
    for (int turn = 0; turn < threads; ++turn) {
        while (run_part((index + turn) % threads)) {
        }
    }
}

// Claim a part of a share and run it; returns whether one was left. Whoever holds a claim keeps
// its call from ending, so what it reads then belongs to that call.
bool Pool::run_part(int share) {
    std::atomic<int>& parts_left = shares_[share].parts_left;
    int left = parts_left.load(std::memory_order_relaxed);
    do {
        if (left == 0) return false;
    } while (!parts_left.compare_exchange_weak(left, left - 1, std::memory_order_acquire,
                                               std::memory_order_relaxed));
    const std::int64_t parts = PARTS * static_cast<std::int64_t>(shares_.size());
    const std::int64_t part = PARTS * share + left - 1;
    const std::int64_t begin = games_ * part / parts, end = games_ * (part + 1) / parts;
    if (begin < end) call_(work_, begin, end);
    if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        { const std::lock_guard lock(mutex_); }
        done_.notify_one();
    }
    return true;
}

void Pool::serve(int index) {
    std::uint64_t served = 0;
    for (;;) {
        wait_for_start(served);
        if (stopping_) return;
        served = round_;
        work_from(index);
    }
}

void Pool::wait_for_start(std::uint64_t served) {
    const auto has_started = [&] { return stopping_ || round_ != served; };
    if (comes_soon(has_started)) return;
    std::unique_lock lock(mutex_);
    ++sleepers_;
    start_.wait(lock, has_started);
    --sleepers_;
}

}  // namespace pill
