// A few threads that share the games of a batch.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace pill {

class Pool {
public:
    // `threads` counts the calling thread too. Throws std::system_error if none can be started.
    explicit Pool(int threads);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // Call `work(begin, end)` for parts of 0..`games` that cover all of it, and return when all
    // are done. Calls from several threads wait for each other. `work` must not throw.
    template <typename Work>
    void run(std::int64_t games, const Work& work) {
        run_erased(games, &work, [](const void* erased, std::int64_t begin, std::int64_t end) {
            (*static_cast<const Work*>(erased))(begin, end);
        });
    }

private:
    // A plain function pointer where std::function would allocate in every call.
    using Call = void (*)(const void* work, std::int64_t begin, std::int64_t end);

    // The games of one thread, in a few parts; on a cache line of its own.
    struct alignas(64) Share {
        std::atomic<int> parts_left{0};
    };

    void run_erased(std::int64_t games, const void* work, Call call);
    void serve(int index);
    void wait_for_start(std::uint64_t served);
    void wait_for_end();
    void work_from(int index);
    bool run_part(int share);
    void stop();

    std::vector<Share> shares_;
    std::vector<std::thread> workers_;
    std::mutex one_caller_;

    // Written by the caller while no part is left; read by who has claimed one.
    const void* work_ = nullptr;
    Call call_ = nullptr;
    std::int64_t games_ = 0;

    alignas(64) std::atomic<int> unfinished_{0};    // parts that are not done
    alignas(64) std::atomic<std::uint64_t> round_{0};  // calls so far
    std::atomic<int> sleepers_{0};                  // workers that need a notice
    std::atomic<bool> stopping_{false};
    std::mutex mutex_;  // for sleeping and waking alone
    std::condition_variable start_, done_;
};

// Run `work` on the pool, or where there is none on the calling thread.
template <typename Work>
void run_games(Pool* pool, std::int64_t games, const Work& work) {
    if (pool == nullptr) {
        work(std::int64_t{0}, games);
    } else {
        pool->run(games, work);
    }
}

}  // namespace pill
