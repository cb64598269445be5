// A lock that many may share or one may have alone: first come, first served.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "core/forks.hpp"

namespace foxnn {

// For std::unique_lock and std::shared_lock. Whoever has to wait stands in a queue, and nobody overtakes it: those who
// predict again and again keep no training step waiting for longer than a prediction of each of them takes. (In
// std::shared_mutex readers overtake for ever.) Steps are often much shorter than predictions, and would get next to
// nothing by turns; so one who has waited to have it alone has a turn of as long as it waited for them, in which it may
// come again, and those who share wait until that is over. While nobody waits the lock is one atomic number.
//
// In a child of fork() it is free. Nobody waits for it with Python's GIL held, so that whoever has it may ask for that.
class FairLock : private RenewedByFork {
  public:
    FairLock() = default;

    bool try_lock() {
        std::uint32_t free = 0;
        return state_.compare_exchange_strong(free, kWriter, std::memory_order_acquire, std::memory_order_relaxed);
    }
    void lock() {
        if (!try_lock()) wait(true);
    }
    void unlock() {
        if (state_.fetch_sub(kWriter, std::memory_order_acq_rel) & kQueue) pass_on(true);
    }
    bool try_lock_shared() {
        std::uint32_t state = state_.load(std::memory_order_relaxed);
        while (!(state & (kWriter | kQueue)))
            if (state_.compare_exchange_weak(state, state + kReader, std::memory_order_acquire,
                                             std::memory_order_relaxed))
                return true;
        return false;
    }
    void lock_shared() {
        if (!try_lock_shared()) wait(false);
    }
    void unlock_shared() {
        if (state_.fetch_sub(kReader, std::memory_order_acq_rel) == kReader + kQueue)
            pass_on(false);  // the last of them
    }
    // Whether someone stands in the queue.
    bool is_awaited() const { return state_.load(std::memory_order_relaxed) & kQueue; }
    // When the turn of the caller, who has the lock alone, is over.
    std::chrono::steady_clock::time_point turn_ends() const { return turn_ends_; }

  private:
    using Clock = std::chrono::steady_clock;
    struct Waiter {
        const bool alone;
        bool has_it = false;
        Waiter* next = nullptr;
        std::condition_variable woken{};
    };
    void wait(bool alone);
    void pass_on(bool alone);
    void admit(Clock::time_point now);
    void renew() noexcept override;

    // Bits of the state: somebody has the lock alone; somebody waits, so nobody may take it out of turn; and, counted
    // in the bits above, how many share it.
    static constexpr std::uint32_t kWriter = 1, kQueue = 2, kReader = 4;
    std::atomic<std::uint32_t> state_{0};
    std::mutex mutex_;  // guards what follows
    Waiter *first_ = nullptr, *last_ = nullptr;
    Clock::time_point turn_ends_{};
};

}  // namespace foxnn
