// Calls long work of the core without the GIL, so that Ctrl-C can stop it.
#pragma once
#include <pybind11/pybind11.h>

#include <chrono>

#include "bindings/gil.hpp"
#include "core/interrupt.hpp"

namespace foxnn {

// Runs Python's handlers of signals that have arrived; throws what one of them raises.
inline void check_signals() {
    if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
}

// Until that time, long work does not stop for signals. To be called by Python's main thread, which alone handles them.
void ignore_signals_until(std::chrono::steady_clock::time_point then);

// How long work that was started again goes on before it stops for another signal: each time twice as long as before,
// so that it finishes, however many signals arrive.
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

// Does work without the GIL. Ctrl-C stops it, and what Python's handler raises, usually KeyboardInterrupt, is thrown.
// The handler runs after the work has released its locks, as it may use the same network. If it raises nothing, the
// work, which has changed nothing, is started again.
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
