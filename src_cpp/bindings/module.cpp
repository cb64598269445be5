#include "bindings/arrays.hpp"

PYBIND11_MODULE(_main_core, m, py::mod_gil_not_used()) {
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

// pybind11's own first steps never end in another interpreter than Python's main one, whose lock they wait for.
PYBIND11_PLUGIN_IMPL(_core) {
    if (PyInterpreterState_Get() == PyInterpreterState_Main()) return PyInit__main_core();
    PyErr_SetString(
        PyExc_ImportError,
        "foxnn works in Python's main interpreter, and not in subinterpreters, which NumPy does not support "
        "either; with mod_wsgi, WSGIApplicationGroup %{GLOBAL} is the main one");
    return nullptr;
}
