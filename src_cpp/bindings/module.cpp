#include "bindings/arrays.hpp"

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
    m.doc() = "foxnn's compiled core; use the foxnn package.";
    foxnn::bind_config(m);
    foxnn::bind_interrupts();
    foxnn::bind_exclusive(m);
    foxnn::bind_samples(m);
    foxnn::bind_networks(m);
    foxnn::bind_trainers(m);
}
