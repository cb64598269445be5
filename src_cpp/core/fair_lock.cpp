#include "core/fair_lock.hpp"

#include <algorithm>
#include <new>

namespace foxnn {

// The longest turn. If its owner does not come again, the others wait for its end for nothing; that should not be long.
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
    while (admit(now), !me.has_it) {  // before waiting, too: if the lock has become free, nobody else calls admit()
        // `now` is the time with which admit() found that the turn lasts. With a later one, the turn might seem to be
        // over here, and nobody would wait for its end.
        if (!alone && first_ == &me && now < turn_ends_)
            me.woken.wait_until(guard, turn_ends_);
        else
            me.woken.wait(guard);
        now = Clock::now();
    }
    if (!alone) return;
    const auto waited = now - std::max(came, turn_ends_);  // for those who share it; time of another's turn is left out
    turn_ends_ = now + std::clamp<Clock::duration>(waited, Clock::duration::zero(), kLongestTurn);
    if (first_) first_->woken.notify_one();  // it now has to wait until turn_ends_
}

void FairLock::pass_on(bool alone) {
    const std::lock_guard guard(mutex_);
    const auto now = Clock::now();
    if (alone) turn_ends_ = std::max(turn_ends_, now);
    admit(now);
}

// Gives the lock to the first in the queue and, if that one shares it, to those behind that share it too. While kQueue
// is set nobody else can take the lock, but those who have it can release it at any time.
void FairLock::admit(Clock::time_point now) {
    while (Waiter* const next = first_) {
        const std::uint32_t held = state_.load(std::memory_order_relaxed) & ~kQueue;
        if (next->alone ? held != 0 : (held & kWriter) != 0 || now < turn_ends_) return;
        state_.fetch_add(next->alone ? kWriter : kReader, std::memory_order_acq_rel);
        first_ = next->next;
        next->has_it = true;
        next->woken.notify_one();  // *next is there until its owner goes on, which needs the mutex
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
