// Threads that help a caller with its work.
#pragma once
#include "core/cores.hpp"

namespace foxnn {

class Helper;

// How many threads there are at most, however many are asked for by however many callers: 64, or four for each core.
int most_helpers();

// The threads that help one caller: those that have nothing to do, and new ones if these are not enough; fewer if the
// system lets no more be made. Afterwards they wait for the next caller, for a few milliseconds without giving up their
// cores, so that steps of some microseconds find them awake.
//
// OpenMP's threads would do the same, but its libraries end the process when they cannot make one (for a limit on
// processes or on memory), and hold a set of threads for every thread that has ever called.
class Helpers {
  public:
    explicit Helpers(int wanted);
    ~Helpers();
    Helpers(const Helpers&) = delete;
    Helpers& operator=(const Helpers&) = delete;
    int count() const { return count_; }
    // The helpers do work(1) ... work(count()) while the caller does work(0); returns when all is done. It must not
    // throw. They run where the caller's team may.
    template <class Function>
    void run(const Function& work) {
        const Reach& reach = reach_of_caller();
        const Task task{[](const void* f, int id) { (*static_cast<const Function*>(f))(id); }, &work, reach.helpers,
                        count_ < reach.cores};
        start(task);
        work(0);
        finish();
    }

  private:
    friend class Helper;
    struct Task {
        void (*call)(const void* work, int id);
        const void* work;
        Cores cores;
        bool roomy;  // there are as many cores as threads of the team
    };
    void start(const Task& task);
    void finish();

    Helper* first_ = nullptr;
    int count_ = 0;
};

// Called once in a process, when fewer threads could be made than were wanted: how many, of how many.
using ShortageHandler = void (*)(int made, int wanted);
void set_shortage_handler(ShortageHandler handler);

}  // namespace foxnn
