// Releasing Python's global lock, the GIL, for a while.
#pragma once
#include <pybind11/pybind11.h>

#include <chrono>
#include <thread>

namespace foxnn {

// While an object of this class exists, other threads of Python may run.
//
// When Python shuts down, it ends every daemon thread that asks for the GIL, as this class does at its end. With glibc,
// ending a thread unwinds its stack as an exception would, and where that comes to a destructor, such as that of
// pybind11's gil_scoped_release, the whole process is ended by std::terminate. So here such a thread sleeps until the
// process has ended. With Python 3.14, Python itself lets such threads sleep.
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
