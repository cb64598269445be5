// NumPy arrays as the core's views of data, and back.
#pragma once
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "core/buffer.hpp"
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
    Index size = sizeof(T);
    for (const Index n : shape) size = product(size, n);
    return py::array_t<T>(std::vector<py::ssize_t>(shape.begin(), shape.end()));
}

// Which samples to take, one after the other: an array of their numbers, or None for 0, 1, ..
class Order {
  public:
    explicit Order(const py::object& order) {
        if (order.is_none()) return;
        held_ = order.cast<decltype(held_)>();
        if (held_.ndim() != 1) throw py::value_error("order: it takes a vector");
        data_ = held_.data();
    }
    const std::int64_t* data() const { return data_; }  // null for None
    Index size_among(const Samples& samples) const { return data_ ? held_.size() : samples.x.n; }
    // Raises unless positions up to `end` are in it.
    const std::int64_t* up_to(Index end, const Samples& samples) const {
        if (end > size_among(samples)) throw py::value_error("end: there are not as many samples");
        return data_;
    }

  private:
    py::array_t<std::int64_t, py::array::c_style> held_;
    const std::int64_t* data_ = nullptr;
};

// Samples that keep the arrays they view alive.
struct SamplesOwner {
    Samples samples;
    py::object x, y, labels, weights, numbers;
};

void bind_samples(py::module_& m);
void bind_config(py::module_& m);
void bind_interrupts();
void bind_exclusive(py::module_& m);
void bind_networks(py::module_& m);
void bind_trainers(py::module_& m);

}  // namespace foxnn
