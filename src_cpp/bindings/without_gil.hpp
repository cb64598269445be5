// Long work of the core as Python's threads do it.
#pragma once
#include <pybind11/pybind11.h>

#include "core/interrupt.hpp"

namespace foxnn {

// Does work without the GIL. Ctrl-C ends it: what the handler raises comes out, whatever it is. The handler runs when
// the work has left all its locks, since it may want the same network; and if it raises nothing, the work, which has
// changed nothing, begins anew.
template <class Work>
auto without_gil(const Work& work) {
    while (true) {
        try {
            const pybind11::gil_scoped_release release;
            return work();
        } catch (const Interrupted&) {
        }
        if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
    }
}

}  // namespace foxnn
