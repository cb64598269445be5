#include "core/fair_lock.hpp"

#include <algorithm>
#include <new>

namespace foxnn {

// A turn is not longer, so that not too much time is lost if nobody comes again in it.
constexpr std::chrono::milliseconds kLongestTurn{50};

void FairLock::wait(bool alone) {
    const auto came = Clock::now();
    Waiter me{alone};
    std::unique_lock guard(mutex_);
    if (std::uint32_t free = kQueue;
        alone && came < turn_ends_ && state_.compare_exchange_strong(free, kQueue + kWriter))
        return;
    (first_ ? last_->next : first_) = &me;
    last_ = &me;
    state_.fetch_or(kQueue, std::memory_order_relaxed);
    auto now = came;
    while (admit(now), !me.has_it) {  // at first, too: it may be free by now, and nobody else would
        // By the time at which admit() found that the turn lasts: by a later one nobody might wait for its end.
        if (!alone && first_ == &me && now < turn_ends_)
            me.woken.wait_until(guard, turn_ends_);
        else
            me.woken.wait(guard);
        now = Clock::now();
    }
    if (!alone) return;
    const auto waited = now - std::max(came, turn_ends_);  // for those who share it: not for another's turn
    turn_ends_ = now + std::clamp<Clock::duration>(waited, Clock::duration::zero(), kLongestTurn);
    if (first_) first_->woken.notify_one();  // who now has an end to wait for
}

void FairLock::pass_on(bool alone) {
    const std::lock_guard guard(mutex_);
    const auto now = Clock::now();
    if (alone) turn_ends_ = std::max(turn_ends_, now);
    admit(now);
}

// Gives the lock to the first of the queue and, as long as they share it, to those behind. With the mark of the queue
// set, all that others can do meanwhile is to give it back.
void FairLock::admit(Clock::time_point now) {
    while (Waiter* const next = first_) {
        const std::uint32_t held = state_.load(std::memory_order_relaxed) & ~kQueue;
        if (next->alone ? held != 0 : (held & kWriter) != 0 || now < turn_ends_) return;
        state_.fetch_add(next->alone ? kWriter : kReader, std::memory_order_acq_rel);
        first_ = next->next;
        next->has_it = true;
        next->woken.notify_one();  // it cannot go on, and away, before the queue's mutex is free
    }
    state_.fetch_and(~kQueue, std::memory_order_relaxed);
}

void FairLock::renew() noexcept {
    new (&mutex_) std::mutex;
    state_ = 0;
    first_ = last_ = nullptr;
    turn_ends_ = {};
}

}  // namespace foxnn
