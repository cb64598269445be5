// The team of threads that works on one thing.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <vector>

#include "core/interrupt.hpp"

namespace foxnn {

// Each worker has queues of work that others may take over. Between two barriers a queue holds the pieces of one
// product only; one that follows without a barrier in between needs another queue.
enum class Queue { products, even_updates, odd_updates };
constexpr int kQueues = 3;

// What the workers that run the same function together share: the place where they wait for one another, and what is
// left to do. As long as each can have a core of its own, they spin for a good while before they let others have it: a
// core once given up to another process comes back only after milliseconds. They give it up at once if one of them may
// be waiting for it: with more workers than cores, or when it turns out that two of them are on the same one.
class Team {
  public:
    Team(int count, int cores) : workers_(static_cast<std::size_t>(count)), many_(count > cores) {}
    int count() const { return static_cast<int>(workers_.size()); }
    // Called by each worker at first, and at barriers: remembers which core it runs on.
    void note_core(int id);
    void barrier(int id);
    // Takes one of the n pieces that the queue of worker `owner` has since the last barrier: returns its number, each
    // number once, and n when none is left.
    Index take(Queue queue, int owner, Index n);
    // Whether workers wait for one another because some of them are on the same core.
    bool shares_cores() const { return shares_cores_.load(std::memory_order_relaxed); }
    // How many cores the workers were last seen on.
    int cores_seen() const;
    // A worker has thrown `error`, and will come to no more barriers: the others leave at the next one.
    void give_up(std::exception_ptr error);
    // Called when all have left: throws what the first of them has thrown, if one has.
    void rethrow() const;
    void leave_if_given_up() const {
        if (given_up_.load(std::memory_order_relaxed)) throw GivenUp();
    }

  private:
    struct GivenUp {};  // what it throws at the others

    bool shares_core(int id) const;

    struct alignas(64) OfWorker {
        std::atomic<int> core{-1};  // where it was last seen
        // For each queue, how many pieces have been taken, and in which round (between which two barriers): a number of
        // another round counts as zero.
        std::atomic<std::uint64_t> round_and_number[kQueues] = {};
    };
    std::vector<OfWorker> workers_;
    const bool many_;  // more than there are cores
    std::atomic<bool> shares_cores_{false}, given_up_{false};
    std::exception_ptr error_;
    alignas(64) std::atomic<int> waiting_{0};
    alignas(64) std::atomic<unsigned> round_{0};
};

// One of the threads that run the same function together.
struct Worker {
    int id, count;
    Team* team;  // null if it works alone
    mutable Watch watch{};

    void barrier() const {
        if (team) team->barrier(id);
    }
    bool shares_cores() const { return team && team->shares_cores(); }
    // To be called now and then: so many units of a tile's inner dimension are done, or as much of other work. Throws
    // if the team is to stop; so it must not be called between two changes that belong together.
    void worked(Index units) const {
        if (watch.counts(units)) look_around();
    }
    // Calls piece(i) for numbers i below count * each, so that all workers together call it once for each: first for
    // those of this worker's own queue, whose data may be in its cache from the last step; then for those that other
    // workers have not come to yet.
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

  private:
    void look_around() const;
};

// What a team is to do: a reference to a function. (To make a std::function of it might need memory.)
class Work {
  public:
    template <class Function>
    Work(const Function& function)
        : function_(&function),
          call_([](const void* f, const Worker& worker) { (*static_cast<const Function*>(f))(worker); }) {}
    void operator()(const Worker& worker) const { call_(function_, worker); }

  private:
    const void* const function_;
    void (*const call_)(const void*, const Worker&);
};

// Runs `work` on `count` threads at once, or on fewer while cores or threads are short, and waits for them. What one of
// them throws is thrown here, when the others have come to a barrier or to their end.
void run_team(int count, Work work);

}  // namespace foxnn
