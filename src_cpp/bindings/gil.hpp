// Python's global lock, given back for a while.
#pragma once
#include <pybind11/pybind11.h>

#include <chrono>
#include <thread>

namespace foxnn {

// Other threads of Python may run while there is one of these.
//
// When Python is being left, it ends every daemon thread that asks for the lock, as this does at its end. In glibc that
// takes the thread's stack apart as an exception would, which ends the whole process (std::terminate) where it comes to
// a destructor, such as pybind11's gil_scoped_release. So such a thread sleeps here until the process has ended; with
// Python 3.14, Python itself has them sleep.
class ReleasedGil {
  public:
    ReleasedGil() : state_(PyEval_SaveThread()) {}
    ~ReleasedGil() {
        try {
            PyEval_RestoreThread(state_);
        } catch (...) {
            while (true) std::this_thread::sleep_for(std::chrono::hours(1));
        }
    }
    ReleasedGil(const ReleasedGil&) = delete;
    ReleasedGil& operator=(const ReleasedGil&) = delete;

  private:
    PyThreadState* const state_;
};

}  // namespace foxnn
