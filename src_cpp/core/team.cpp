#include "core/team.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "core/cores.hpp"
#include "core/free_cores.hpp"
#include "core/helpers.hpp"
#include "core/relax.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

namespace foxnn {
namespace {

constexpr int kSpins = 20000,
              kSpinsOfMany = 100;  // before a worker yields its core; and if there are more workers than cores
constexpr int kSpinsAlone = 4000;  // before it looks whether another worker is on the same core

// The core that the caller runs on; -1 if the system does not say.
int current_core() {
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

}  // namespace

void Team::note_core(int id) {
    workers_[static_cast<std::size_t>(id)].core.store(current_core(), std::memory_order_relaxed);
}

bool Team::shares_core(int id) const {
    const int core = current_core();
    for (int other = 0; other < count(); other++)
        if (other != id && core >= 0 && workers_[static_cast<std::size_t>(other)].core == core) return true;
    return false;
}

int Team::cores_seen() const {  // asked when the work is done: nothing may fail here
    int cores = 0;
    for (int id = 0; id < count(); id++) {
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
    note_core(id);
    leave_if_given_up();
    if (waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == count()) {
        waiting_.store(0, std::memory_order_relaxed);
        round_.store(round + 1, std::memory_order_release);
        return;
    }
    const int spins = many_ ? kSpinsOfMany : kSpins;
    for (int i = 0; round_.load(std::memory_order_acquire) == round; i++) {
        leave_if_given_up();
        if (i == kSpinsAlone && !many_ && shares_core(id)) shares_cores_.store(true, std::memory_order_relaxed);
        if (i < spins && !shares_cores())
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

namespace {

FreeCores free_cores;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

void run_team(int count, Work work) {
    if (count <= 1) return work({0, 1, nullptr});
    const int cores = reach_of_caller().cores;
    if (count <= cores) count = free_cores.limit(count, now());
    Helpers helpers(count - 1);
    if (helpers.count() == 0) return work({0, 1, nullptr});
    Team team(1 + helpers.count(), cores);
    helpers.run([&](int id) {
        try {
            team.note_core(id);
            work({id, team.count(), &team});
            team.barrier(id);
        } catch (...) {
            team.give_up(std::current_exception());
        }
    });
    team.rethrow();
    if (team.shares_cores()) free_cores.found(team.cores_seen(), now());
}

}  // namespace foxnn
