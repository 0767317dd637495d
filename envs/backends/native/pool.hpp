// A few threads that share the games of a batch, each a contiguous part of it.
#pragma once

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

    void run_erased(std::int64_t games, const void* work, Call call);
    void serve(int index);
    void run_part(int index) const;
    void stop();

    int threads_;
    std::vector<std::thread> workers_;
    std::mutex one_caller_;
    std::mutex mutex_;
    std::condition_variable start_, done_;
    const void* work_ = nullptr;
    Call call_ = nullptr;
    std::int64_t games_ = 0;
    std::uint64_t round_ = 0;
    int running_ = 0;
    bool stopping_ = false;
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
