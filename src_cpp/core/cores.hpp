// The cores that threads may run on.
#pragma once

#if defined(__linux__)
#include <sched.h>
#endif

namespace foxnn {

int cores_of_machine();

// A set of cores. It is empty where the system does not tell, or has more of them than fit.
class Cores {
  public:
    // Those that a thread may run on; 0: the caller.
    static Cores of_thread(int id = 0);
    // Those of OpenMP's places, if it binds its threads to them.
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

// Where the caller's team may run: its members on `helpers`, all together on `cores` of them. That is wherever the
// caller itself may run. But an OpenMP library that is told to bind threads (by OMP_PROC_BIND, OMP_PLACES and their
// like) leaves one core to the thread that loads it, and to threads that this one starts: then it is all of OpenMP's
// places, and helpers get those that the caller is not on.
struct Reach {
    Cores helpers;
    int cores;
};
// As it was a moment ago: the system is asked again after 10 ms.
const Reach& reach_of_caller();

}  // namespace foxnn
