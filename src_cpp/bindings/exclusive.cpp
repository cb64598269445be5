// The right to train a network, which one thread at a time may have, and a counter that threads share. Whenever a
// signal arrives, nothing stays held for ever; and in a child of fork() it is free.
#include <atomic>

#include "bindings/arrays.hpp"
#include "core/forks.hpp"

namespace foxnn {
namespace {

// The right to train a network, which one thread at a time may have; `who_` is null if nobody has it.
class Holder : RenewedByFork {
  public:
    bool take(const void* who) {
        const void* nobody = nullptr;
        if (!who_.compare_exchange_strong(nobody, who)) return false;
        thread_ = PyThread_get_thread_ident();
        return true;
    }
    void give_back(const void* who) { who_.compare_exchange_strong(who, nullptr); }

  private:
    void renew() noexcept override {
        if (thread_ != PyThread_get_thread_ident()) who_ = nullptr;  // the child lacks that thread
    }
    std::atomic<const void*> who_{nullptr};
    std::atomic<unsigned long> thread_{0};
};

// `with exclusive.hold():` takes the right inside the call of hold(), and returns it at the end of the block or, if the
// block is never reached, when the object returned by hold() is destroyed. That is needed since Python may run the
// handler of a signal between any two instructions, and the handler may raise: for example after acquire() and before
// `try`, or, with Python 3.14, after __enter__() and before the block. Then only destructors are sure to run. (These
// types are written without pybind11, as its calls would take about as long as a step of a small network.)
struct Exclusive {
    PyObject_HEAD Holder* holder;
};
struct Hold {
    PyObject_HEAD Exclusive* of;
};

PyTypeObject* hold_type = nullptr;

template <class Object>
Object* as(PyObject* object) {
    return reinterpret_cast<Object*>(object);
}

PyObject* hold(PyObject* self, PyObject*) {
    auto* const one = PyObject_New(Hold, hold_type);
    if (!one) return nullptr;
    Py_INCREF(self);
    one->of = as<Exclusive>(self);
    if (one->of->holder->take(one)) return reinterpret_cast<PyObject*>(one);
    Py_DECREF(one);
    PyErr_SetString(PyExc_RuntimeError,
                    "this network is being trained already; train a copy of it in the other thread");
    return nullptr;
}

PyObject* enter(PyObject*, PyObject*) { Py_RETURN_NONE; }

PyObject* give_back(PyObject* self, PyObject* const*, Py_ssize_t) {
    as<Hold>(self)->of->holder->give_back(self);
    Py_RETURN_NONE;
}

void free_hold(PyObject* self) {
    PyTypeObject* const type = Py_TYPE(self);
    as<Hold>(self)->of->holder->give_back(self);
    Py_DECREF(as<Hold>(self)->of);
    PyObject_Free(self);
    Py_DECREF(type);
}

PyObject* new_exclusive(PyTypeObject* type, PyObject*, PyObject*) {
    auto* const one = PyObject_New(Exclusive, type);
    if (one) one->holder = new (std::nothrow) Holder;
    if (!one || one->holder) return reinterpret_cast<PyObject*>(one);
    Py_DECREF(one);
    return PyErr_NoMemory();
}

void free_exclusive(PyObject* self) {
    PyTypeObject* const type = Py_TYPE(self);
    delete as<Exclusive>(self)->holder;
    PyObject_Free(self);
    Py_DECREF(type);
}

template <class Function>
void* slot(Function* function) {
    return reinterpret_cast<void*>(function);
}

// A counter: each call gets the next number.
struct Counter {
    std::atomic<std::uint64_t> value;
};

}  // namespace

void bind_exclusive(py::module_& m) {
    static PyMethodDef of_hold[] = {
        {"__enter__", &enter, METH_NOARGS, nullptr},
        {"__exit__", reinterpret_cast<PyCFunction>(slot(&give_back)), METH_FASTCALL, nullptr},
        {}};
    static PyType_Slot hold_slots[] = {{Py_tp_dealloc, slot(&free_hold)}, {Py_tp_methods, of_hold}, {}};
    static PyType_Spec hold_spec{"foxnn._core.Hold", sizeof(Hold), 0,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, hold_slots};
    static PyMethodDef of_exclusive[] = {
        {"hold", &hold, METH_NOARGS, "To be used with `with`; raises if someone has it."}, {}};
    static PyType_Slot exclusive_slots[] = {
        {Py_tp_new, slot(&new_exclusive)}, {Py_tp_dealloc, slot(&free_exclusive)}, {Py_tp_methods, of_exclusive}, {}};
    static PyType_Spec exclusive_spec{"foxnn._core.Exclusive", sizeof(Exclusive), 0, Py_TPFLAGS_DEFAULT,
                                      exclusive_slots};
    hold_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&hold_spec));
    if (!hold_type) throw py::error_already_set();
    PyObject* const exclusive = PyType_FromSpec(&exclusive_spec);
    if (!exclusive) throw py::error_already_set();
    m.attr("Exclusive") = py::reinterpret_steal<py::object>(exclusive);

    py::class_<Counter>(m, "Counter", "A number that goes up by one for each that asks.")
        .def(py::init([](std::uint64_t value) { return new Counter{{value}}; }), py::arg("value") = 0)
        .def("next", [](Counter& counter) { return counter.value++; })
        .def_property(
            "value", [](const Counter& counter) { return counter.value.load(); },
            [](Counter& counter, std::uint64_t value) { counter.value = value; });
}

}  // namespace foxnn
