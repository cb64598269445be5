// The cores that threads may run on.
#pragma once

#if defined(__linux__)
#include <sched.h>
#endif

namespace foxnn {

int cores_of_machine();

// A set of cores. It is empty if the system does not say which, or has more cores than a set can hold.
class Cores {
  public:
    // The cores that a thread may run on; id 0 is the calling thread.
    static Cores of_thread(int id = 0);
    // The cores that OpenMP binds its threads to ("places"), if it does.
    static Cores of_openmp();

    int count() const;
    bool operator==(const Cores& other) const;
    Cores with(const Cores& other) const;
    Cores without(const Cores& other) const;
    // Lets the calling thread run on these only; an empty set changes nothing.
    void bind_caller() const;

#if defined(__linux__)
  private:
    cpu_set_t set_ = {};
#endif
};

// Where the caller's team may run: helpers on the set `helpers`, the whole team on as many as `cores` cores. Usually
// both are where the caller itself may run. But when an OpenMP library is told to bind threads (by OMP_PROC_BIND,
// OMP_PLACES and the like), it binds the thread that loads it, and so all that this thread starts, to a single core.
// Then the team may use all cores that OpenMP uses, and helpers get those that the caller is not bound to.
struct Reach {
    Cores helpers;
    int cores;
};
// The result is kept for 10 ms before the system is asked again.
const Reach& reach_of_caller();

}  // namespace foxnn
