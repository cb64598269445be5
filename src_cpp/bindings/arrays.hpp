// NumPy arrays as the core's views of data, and back.
#pragma once
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "core/samples.hpp"

namespace py = pybind11;

namespace foxnn {

template <class T>
using Array = py::array_t<T, py::array::c_style | py::array::forcecast>;

// The front has converted everything to one of three number types in contiguous rows; anything else is its mistake.
inline Rows rows_of(const py::array& a, double scale, double offset) {
    Rows rows;
    const char kind = a.dtype().kind();
    const auto size = a.itemsize();
    if (kind == 'u' && size == 1)
        rows.type = Source::u8;
    else if (kind == 'f' && size == 4)
        rows.type = Source::f32;
    else if (kind == 'f' && size == 8)
        rows.type = Source::f64;
    else
        throw py::type_error("rows must be uint8, float32 or float64");
    const bool aligned = (a.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
    if (a.ndim() != 2 || !aligned || (a.shape(1) > 1 && a.strides(1) != size) || a.strides(0) % size != 0 ||
        (a.shape(0) > 1 && a.strides(0) < 0))
        throw py::type_error("rows must be a matrix of contiguous rows of aligned numbers");
    rows.data = a.data();
    rows.n = a.shape(0), rows.columns = a.shape(1);
    rows.stride = a.shape(0) > 1 ? a.strides(0) / size : a.shape(1);
    rows.scale = scale, rows.offset = offset;
    return rows;
}

template <class T>
py::array_t<T> new_array(std::vector<Index> shape) {
    return py::array_t<T>(std::vector<py::ssize_t>(shape.begin(), shape.end()));
}

// Samples that keep the arrays they view alive.
struct SamplesOwner {
    Samples samples;
    py::object x, y, labels, weights, numbers;
};

void bind_samples(py::module_& m);
void bind_config(py::module_& m);
void bind_interrupts();
void bind_networks(py::module_& m);
void bind_trainers(py::module_& m);

}  // namespace foxnn
