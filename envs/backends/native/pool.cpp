// Workers sleep between calls, so an idle pool costs no processor time.
#include "pool.hpp"

namespace pill {

Pool::Pool(int threads) : threads_(threads) {
    try {
        for (int index = 1; index < threads_; ++index) {
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
    {
        const std::lock_guard lock(mutex_);
        work_ = work;
        call_ = call;
        games_ = games;
        running_ = static_cast<int>(workers_.size());
        ++round_;
    }
    start_.notify_all();
    run_part(0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return running_ == 0; });
}

void Pool::run_part(int index) const {
    const std::int64_t begin = games_ * index / threads_;
    const std::int64_t end = games_ * (index + 1) / threads_;
    if (begin < end) call_(work_, begin, end);
}

void Pool::serve(int index) {
    std::uint64_t served = 0;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            start_.wait(lock, [&] { return stopping_ || round_ != served; });
            if (stopping_) return;
            served = round_;
        }
        run_part(index);
        const std::lock_guard lock(mutex_);
        if (--running_ == 0) done_.notify_one();
    }
}

}  // namespace pill
