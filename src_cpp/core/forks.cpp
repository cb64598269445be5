#include "core/forks.hpp"

#include <mutex>
#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace foxnn {

// All of them, as a list. It is locked while the process is copied, so that the child has it whole.
struct RenewedByFork::All {
    std::mutex mutex;
    RenewedByFork* first = nullptr;
    unsigned forks = 0;

    static All& get() {
        static All* const all = made();  // never destroyed: some are static, and go after everything else
        return *all;
    }
    static All* made() {
#if !defined(_WIN32)
        pthread_atfork([] { get().mutex.lock(); }, [] { get().mutex.unlock(); },
                       [] {
                           All& all = get();
                           all.forks++;
                           for (RenewedByFork* one = all.first; one; one = one->next_) one->renew();
                           all.mutex.unlock();  // held by this thread, here as in the parent
                       });
#endif
        return new All;
    }
};

RenewedByFork::RenewedByFork() {
    All& all = All::get();
    const std::lock_guard lock(all.mutex);
    next_ = all.first;
    if (next_) next_->previous_ = this;
    all.first = this;
}

RenewedByFork::~RenewedByFork() {
    All& all = All::get();
    const std::lock_guard lock(all.mutex);
    (previous_ ? previous_->next_ : all.first) = next_;
    if (next_) next_->previous_ = previous_;
}

unsigned RenewedByFork::forks() { return All::get().forks; }

}  // namespace foxnn
