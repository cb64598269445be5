// Long work of the core as Python's threads do it.
#pragma once
#include <pybind11/pybind11.h>

#include "bindings/gil.hpp"
#include "core/interrupt.hpp"

namespace foxnn {

// Runs the handlers of signals that have come; throws what one of them raises.
inline void hear_signals() {
    if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
}

// Does work without the GIL. Ctrl-C ends it: what the handler raises comes out, whatever it is. The handler runs when
// the work has left all its locks, since it may want the same network; and if it raises nothing, the work, which has
// changed nothing, begins anew.
template <class Work>
auto without_gil(const Work& work) {
    while (true) {
        try {
            const ReleasedGil released;
            return work();
        } catch (const Interrupted&) {
        }
        hear_signals();
    }
}

}  // namespace foxnn
