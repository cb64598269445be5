// How long work of the core finds out that Ctrl-C was pressed.
#include <atomic>

#include "bindings/arrays.hpp"
#include "bindings/without_gil.hpp"
#include "core/interrupt.hpp"

namespace foxnn {
namespace {

using Clock = std::chrono::steady_clock;

std::atomic<unsigned long> main_thread{0};  // the only thread in which Python runs handlers of signals
Clock::time_point ignores_until{};          // the main thread's own

// Whether Ctrl-C has been pressed. It stays pending until without_gil() has Python run the handler.
bool ctrl_c_pressed() {
    if (PyThread_get_thread_ident() != main_thread || Clock::now() < ignores_until) return false;
    const py::gil_scoped_acquire acquire;
    if (!PyOS_InterruptOccurred()) return false;
    PyErr_SetInterrupt();  // since asking has cleared it
    return true;
}

}  // namespace

void ignore_signals_until(Clock::time_point then) { ignores_until = then; }

void bind_interrupts() {
    main_thread = py::module_::import("threading").attr("main_thread")().attr("ident").cast<unsigned long>();
    const py::module_ os = py::module_::import("os");
    if (py::hasattr(os, "register_at_fork"))  // the thread that forks is the child's main one
        os.attr("register_at_fork")(py::arg("after_in_child") =
                                        py::cpp_function([] { main_thread = PyThread_get_thread_ident(); }));
    set_interrupt_hook(ctrl_c_pressed);
}

}  // namespace foxnn
