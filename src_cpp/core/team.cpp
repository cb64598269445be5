#include "core/team.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "core/free_cores.hpp"
#include "core/threads.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace foxnn {
namespace {

constexpr int kSpins = 20000, kSpinsOfMany = 100;  // before a core is given up; and with more workers than cores
constexpr int kSpinsAlone = 4000;                  // after which it is time to look who else is on this core

inline void relax() {
#if defined(__x86_64__) || defined(_M_X64)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// The core that the caller is on; -1 where nobody tells.
int current_core() {
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

}  // namespace

void Team::join(int id, int count) {
    count_.store(count, std::memory_order_relaxed);  // all say the same
    note_core(id);
}

void Team::note_core(int id) {
    workers_[static_cast<std::size_t>(id)].core.store(current_core(), std::memory_order_relaxed);
}

bool Team::shares_core(int id) const {
    const int core = current_core();
    for (int other = 0; other < count_; other++)
        if (other != id && core >= 0 && workers_[static_cast<std::size_t>(other)].core == core) return true;
    return false;
}

int Team::cores_seen() const {  // asked when the work is done: nothing may fail here
    int cores = 0;
    for (int id = 0; id < count_; id++) {
        bool is_new = true;
        for (int other = 0; other < id; other++)
            is_new &= workers_[static_cast<std::size_t>(other)].core != workers_[static_cast<std::size_t>(id)].core;
        cores += is_new;
    }
    return cores;
}

void Team::give_up(std::exception_ptr error) {
    if (!given_up_.exchange(true)) error_ = std::move(error);
}

void Team::rethrow() const {
    if (error_) std::rethrow_exception(error_);
}

void Team::barrier(int id) {
    const unsigned round = round_.load(std::memory_order_relaxed);
    const int count = count_.load(std::memory_order_relaxed);
    note_core(id);
    leave_if_given_up();
    if (waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == count) {
        waiting_.store(0, std::memory_order_relaxed);
        round_.store(round + 1, std::memory_order_release);
        return;
    }
    const bool many = count > usable_cores();
    const int spins = many ? kSpinsOfMany : kSpins;
    for (int i = 0; round_.load(std::memory_order_acquire) == round; i++) {
        leave_if_given_up();
        if (i == kSpinsAlone && !many && shares_core(id)) crowded_.store(true, std::memory_order_relaxed);
        if (i < spins && !crowded())
            relax();
        else
            std::this_thread::yield();
    }
}

Index Team::take(Queue queue, int owner, Index n) {
    auto& taken = workers_[static_cast<std::size_t>(owner)].round_and_number[static_cast<int>(queue)];
    const std::uint64_t round = round_.load(std::memory_order_relaxed);
    std::uint64_t seen = taken.load(std::memory_order_relaxed), number;
    do {
        number = seen >> 32 == round ? seen & 0xffffffff : 0;
        if (static_cast<Index>(number) >= n) return n;
    } while (!taken.compare_exchange_weak(seen, round << 32 | (number + 1), std::memory_order_relaxed));
    return static_cast<Index>(number);
}

// The first worker is the thread that called; the others hear of it from the team.
void Worker::look_around() const {
    if (team) team->leave_if_given_up();
    if (id == 0) return watch.ask();
    watch.rest();
}

#if defined(_OPENMP)
namespace {

FreeCores free_cores;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

void run_team(int count, Work work) {
    if (count > 1 && count <= usable_cores()) count = free_cores.limit(count, now());
    if (count <= 1) return work({0, 1, nullptr});
    Team team(count);
#pragma omp parallel num_threads(count)
    {
        const int id = omp_get_thread_num(), size = omp_get_num_threads();  // may be smaller than asked for
        team.join(id, size);
        try {
            work({id, size, size > 1 ? &team : nullptr});
            team.barrier(id);  // OpenMP's own, which follows, gives no core up
        } catch (...) {
            team.give_up(std::current_exception());
        }
    }
    team.rethrow();
    if (team.crowded()) free_cores.found(team.cores_seen(), now());
}
#else
void run_team(int, Work work) { work({0, 1, nullptr}); }
#endif

}  // namespace foxnn
