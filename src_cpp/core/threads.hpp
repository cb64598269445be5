// How many threads to use, and the team of threads that works on one thing.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/table.hpp"

namespace foxnn {

// The cores this process may use: CPU affinity, the cgroup's quota and OMP_NUM_THREADS considered.
int available_threads();
// The most threads foxnn uses; 0: as many as available_threads().
void set_num_threads(int n);
int wanted_threads();  // as set; 0 if never
int num_threads();
// Threads worth having for `flops` of work between barriers; `limit` = 0: num_threads(), else exactly that many at
// most.
int threads_for(double flops, int limit = 0);
std::string thread_runtime();

// Work that may go to another worker than was meant lies in queues, one for each worker. Between two barriers a queue
// serves one piece of work; what follows without a barrier needs another.
enum class Queue { products, even_updates, odd_updates };
constexpr int kQueues = 3;

// What the workers that run the same function together share: the place where they wait for one another, and what is
// left to do. As long as each can have a core of its own, they spin for a good while before they let others have it: a
// core once given up to another process comes back only after milliseconds. With more workers than cores they give it
// up at once, since one of them may be waiting for it.
class Team {
  public:
    // How many workers there are; set before the first of them begins.
    void expect(int count);
    void barrier();
    // Takes one of the n things that the queue of worker `owner` has held since the last barrier, each given out once:
    // its number; or n if none is left.
    Index take(Queue queue, int owner, Index n);

  private:
    int count_ = 1, spins_ = 0;
    alignas(64) std::atomic<int> waiting_{0};
    alignas(64) std::atomic<unsigned> round_{0};
    // How many things of each queue have been taken, and in which round: what another round has left counts as zero.
    struct alignas(64) Taken {
        std::atomic<std::uint64_t> round_and_number[kQueues] = {};
    };
    std::vector<Taken> taken_;  // of each worker
};

// One of the threads that run the same function together.
struct Worker {
    int id, count;
    Team* team;  // null if it works alone

    void barrier() const {
        if (team) team->barrier();
    }
    // Calls piece(i) for each i of count * each that this worker comes to, every i for one worker only: its own share
    // first, which may be in its cache from the last step; then what the others have not come to.
    template <class Piece>
    void share_out(Queue queue, Index each, const Piece& piece) const {
        for (int w = 0; w < count; w++) {
            const int owner = (id + w) % count;
            for (Index i; (i = team->take(queue, owner, each)) < each;) piece(owner * each + i);
        }
    }
    // This worker's share of n things, as a range.
    Index begin(Index n) const { return n * id / count; }
    Index end(Index n) const { return n * (id + 1) / count; }
};

// Runs `work` on `count` threads at once and waits for them; it must not throw.
void run_team(int count, const std::function<void(const Worker&)>& work);

}  // namespace foxnn
