// Drives the pool of threads under the thread sanitizer: `stress_pool CALLS`.
//
// Calls of every size follow each other at once and after naps in which the workers fall asleep,
// from one thread and from two. Every game must be run once in each call.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "pool.hpp"

namespace {

constexpr int MAX_GAMES = 70;

bool run_calls(pill::Pool& pool, int calls) {
    std::vector<int> runs(MAX_GAMES);
    for (int call = 0; call < calls; ++call) {
        const int games = call % (MAX_GAMES + 1);
        pool.run(games, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t game = begin; game < end; ++game) ++runs[game];
        });
        for (int game = 0; game < MAX_GAMES; ++game) {
            if (runs[game] != (game < games ? 1 : 0)) return false;
            runs[game] = 0;
        }
        if (call % 64 == 63) std::this_thread::sleep_for(std::chrono::microseconds(400));
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const int calls = std::atoi(argv[1]);
    bool fine = true, fine_beside = true;
    for (int threads = 1; threads <= 4; ++threads) {
        pill::Pool pool(threads);
        std::thread beside([&] { fine_beside = run_calls(pool, calls) && fine_beside; });
        fine = run_calls(pool, calls) && fine;
        beside.join();
    }
    for (int open = 0; open < 20; ++open) {
        const pill::Pool idle(3);
    }
    std::puts(fine && fine_beside ? "every game once" : "a game was left out or run twice");
    return 0;
}
