#include "bindings/arrays.hpp"

PYBIND11_MODULE(_core, m, py::mod_gil_not_used()) {
    m.doc() = "foxnn's compiled core; use the foxnn package.";
    py::register_local_exception_translator([](std::exception_ptr error) {
        try {
            std::rethrow_exception(error);
        } catch (const foxnn::OutOfMemory& e) {
            PyErr_SetString(PyExc_MemoryError, e.what());
        } catch (const std::bad_alloc&) {  // for something small
            PyErr_SetString(PyExc_MemoryError, "Unable to allocate memory for the work of a network");
        }
    });
    foxnn::bind_config(m);
    foxnn::bind_interrupts();
    foxnn::bind_exclusive(m);
    foxnn::bind_samples(m);
    foxnn::bind_networks(m);
    foxnn::bind_trainers(m);
}
