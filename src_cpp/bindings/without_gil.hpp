// Long work of the core as Python's threads do it.
#pragma once
#include <pybind11/pybind11.h>

#include <chrono>

#include "bindings/gil.hpp"
#include "core/interrupt.hpp"

namespace foxnn {

// Runs the handlers of signals that have come; throws what one of them raises.
inline void check_signals() {
    if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
}

// Until then, long work does not stop for signals. It is Python's main thread that asks for it, and that they come to.
void ignore_signals_until(std::chrono::steady_clock::time_point then);

// For how long work that has begun anew goes on before it stops for another signal: each time for twice as long, so
// that it comes to its end, however many signals there are.
class Patience {
  public:
    ~Patience() {
        if (next_ > kFirst) ignore_signals_until({});
    }
    void begin() {
        ignore_signals_until(std::chrono::steady_clock::now() + next_);
        next_ *= 2;
    }

  private:
    static constexpr std::chrono::nanoseconds kFirst = std::chrono::milliseconds(50);
    std::chrono::nanoseconds next_ = kFirst;
};

// Does work without the GIL. Ctrl-C ends it: what the handler raises comes out, whatever it is. The handler runs when
// the work has left all its locks, since it may want the same network; and if it raises nothing, the work, which has
// changed nothing, begins anew.
template <class Work>
auto without_gil(const Work& work) {
    Patience patience;
    while (true) {
        try {
            const ReleasedGil released;
            return work();
        } catch (const Interrupted&) {
        }
        check_signals();
        patience.begin();
    }
}

}  // namespace foxnn
