// Every piece of work is done by one worker, once, whichever of them are slow; no one passes a barrier early; what a
// worker throws comes out; and a team that shares a core is made smaller.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <new>
#include <thread>
#include <vector>

#include "core/free_cores.hpp"
#include "core/helpers.hpp"
#include "core/team.hpp"
#include "core/threads.hpp"
#include "expect.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

using namespace foxnn;

namespace {

void every_piece_once() {
    constexpr Index rounds = 3000, most = 9;
    constexpr Queue queues[] = {Queue::products, Queue::even_updates, Queue::odd_updates};
    std::atomic<long> wrong_counts{0}, wrong_pieces{0}, stolen{0};
    for (const int asked : {2, 3, 5}) {
        std::vector<std::atomic<int>> done(static_cast<std::size_t>(kQueues * asked * most));
        run_team(asked, [&](const Worker& worker) {
            // Only what the first team found may leave another one with fewer.
            const bool may_be_fewer = asked > 2 && asked <= usable_cores();
            if (worker.count != asked && !(may_be_fewer && worker.count < asked)) wrong_counts++;
            if (worker.count == 1) return;
            for (Index round = 0; round < rounds; round++) {
                const Index n = 1 + round % most;  // in each queue; the same queues serve round after round
                for (const Queue queue : queues)
                    worker.share_out(queue, n, [&](Index i) {
                        const Index owner = i / n, row = static_cast<int>(queue) * worker.count + owner;
                        done[static_cast<std::size_t>(row * most + i % n)]++;
                        stolen += owner != worker.id;
                        volatile int x = 0;
                        if (worker.id == round % worker.count)  // a slow one, each in turn
                            for (int k = 0; k < 500; k++) x = x + 1;
                    });
                worker.barrier();
                if (worker.id == 0)
                    for (Index i = 0; i < kQueues * worker.count * most; i++)
                        wrong_pieces += done[static_cast<std::size_t>(i)].exchange(0) != (i % most < n);
                worker.barrier();
            }
        });
    }
    std::printf("%ld pieces wrong, %ld done by another than their owner\n", wrong_pieces.load(), stolen.load());
    expect(wrong_counts == 0, "a team has as many workers as it is asked to have");
    expect(wrong_pieces == 0, "every piece is done once");
    expect(stolen > 0, "workers take what others have not come to");
}

// Whether a team comes back with what some of its workers have thrown before a barrier: the last one, or all.
bool comes_back_with_error(int asked, int barriers, bool all) {
    try {
        run_team(asked, [&](const Worker& worker) {
            for (int i = 0; i < barriers; i++) worker.barrier();
            if (all || worker.id == worker.count - 1) throw std::bad_alloc();
            worker.barrier();
            worker.barrier();
        });
    } catch (const std::bad_alloc&) {
        return true;
    }
    return false;
}

void thrown_in_a_team() {
    bool came = true;
    for (int i = 0; i < 300; i++) came = came && comes_back_with_error(1 + i % 4, i % 3, i % 2);
    expect(came, "what a worker throws is thrown at the caller, and no other worker waits for it");
}

int workers_of_team(int asked, int barriers = 1) {
    int count = 0;
    run_team(asked, [&](const Worker& worker) {
        if (worker.id == 0) count = worker.count;
        for (int i = 0; i < barriers; i++) worker.barrier();
    });
    return count;
}

void team_on_one_core() {
#if defined(__linux__)
    if (usable_cores() < 2) return;
    using namespace std::chrono_literals;
    cpu_set_t one, all;
    std::this_thread::sleep_for(2s);  // until it is forgotten that threads shared a core
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_getaffinity(0, sizeof all, &all);
    // The size of a team whose workers find themselves on the same core.
    const auto workers_on_one_core = [&](int asked) {
        std::atomic<int> count{0};
        run_team(asked, [&](const Worker& worker) {
            sched_setaffinity(0, sizeof one, &one);
            for (int i = 0; i < 1000; i++) worker.barrier();
            count = worker.count;
            sched_setaffinity(0, sizeof all, &all);
        });
        return count.load();
    };
    expect(workers_on_one_core(2) == 2, "a team begins with as many workers as it is asked to have");
    for (const auto forgotten : {11ms, 41ms, 161ms}) {  // found again each time, it is remembered for longer
        std::this_thread::sleep_for(forgotten);
        expect(workers_on_one_core(2) == 2, "a larger one is tried again");
    }
    // For a moment, which a busy machine may let pass before this thread comes to ask.
    const auto knows = [] { return workers_of_team(2) == 1 && workers_of_team(usable_cores()) == 1; };
    bool known = false, known_to_others = false;
    for (int i = 0; i < 50 && !(known && known_to_others); i++) {
        workers_on_one_core(2);
        known = known || knows();
        std::thread([&] { known_to_others = known_to_others || knows(); }).join();
    }
    expect(known, "teams get fewer workers when those of one shared a core");
    expect(known_to_others, "those of other callers, too");
    expect(workers_of_team(usable_cores() + 1) > 1, "but not a team that is to have more workers than cores");
    std::this_thread::sleep_for(2s);
    expect(workers_of_team(2, 1000) == 2, "after a while it is tried again");
#endif
}

// Where a thread is bound, so are those that help it, as long as they do.
void bound_caller() {
#if defined(__linux__)
    using namespace std::chrono_literals;
    std::this_thread::sleep_for(2s);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    const auto cores_of_helper = [] {
        cpu_set_t set;
        CPU_ZERO(&set);
        run_team(usable_cores() + 1, [&](const Worker& worker) {
            if (worker.id == 1) sched_getaffinity(0, sizeof set, &set);
        });
        return set;
    };
    const cpu_set_t all = cores_of_helper();
    std::thread([&] {
        sched_setaffinity(0, sizeof one, &one);
        expect(usable_cores() == 1, "a bound thread may use one core");
        const cpu_set_t bound = cores_of_helper();
        expect(CPU_EQUAL(&bound, &one), "and so may those that help it");
    }).join();
    const cpu_set_t again = cores_of_helper();
    expect(CPU_EQUAL(&again, &all), "which afterwards help others wherever these may run");
#endif
}

// Callers share the threads: there are no more than most_helpers(), whoever asks for them.
void many_callers() {
    std::atomic<int> largest{0}, working{0}, most{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 20; i++)
        callers.emplace_back([&] {
            for (int round = 0; round < 5; round++)
                run_team(16, [&](const Worker& worker) {
                    for (int now = ++working, seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
                    }
                    worker.barrier();
                    for (int seen = largest;
                         worker.count > seen && !largest.compare_exchange_weak(seen, worker.count);) {
                    }
                    working--;
                });
        });
    for (std::thread& caller : callers) caller.join();
    std::printf("%d at work at once, teams of up to %d\n", most.load(), largest.load());
    expect(largest > 1, "callers get help");
    expect(most <= most_helpers() + 20, "but there is a limit to all of it");
    expect(workers_of_team(100000) <= 1 + most_helpers(), "which holds for a single caller too");
}

void free_cores() {
    FreeCores cores;
    expect(cores.limit(4, 0) == 4, "at first all cores are free");
    cores.found(2, 10);
    expect(cores.limit(4, 10.005) == 2 && cores.limit(1, 10.005) == 1, "then as many as were found");
    cores.found(3, 10.005);
    expect(cores.limit(4, 10.006) == 2, "the least of what several teams find");
    expect(cores.limit(4, 10.015) == 4, "for a moment");
    double now = 20, waits[8];
    for (double& wait : waits) {
        cores.found(1, now);
        const double found = now;
        while (cores.limit(2, now) == 1) now += 0.001;
        wait = now - found;
    }
    bool longer = true;
    for (int i = 1; i < 8; i++) longer = longer && (waits[i] > 1.5 * waits[i - 1] || waits[i] > 0.9);
    expect(waits[0] < 0.02 && longer && waits[7] < 1.1, "longer every time, up to a second");
    cores.found(1, now + 10);
    expect(cores.limit(2, now + 10.02) == 2, "and shorter again after a time without");
}

}  // namespace

int main() {
    every_piece_once();
    thrown_in_a_team();
    free_cores();
    team_on_one_core();
    bound_caller();
    many_callers();
    return exit_status();
}
