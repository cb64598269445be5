// Fast ways for the common cases: arrays that the core can read as they are, or nearly so. Everything else, and
// whatever calls for a warning or an error, is left to the Python code.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "bindings/arrays.hpp"
#include "core/network.hpp"

namespace foxnn {

// Whether it is NumPy's own array (no subclass, such as one with masked values), contiguous and aligned.
inline bool is_plain_array(const py::object& object) {
    constexpr int both = py::array::c_style | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
    const py::handle array_type(reinterpret_cast<PyObject*>(py::detail::npy_api::get().PyArray_Type_));
    if (!py::type::handle_of(object).is(array_type)) return false;
    return (py::reinterpret_borrow<py::array>(object).flags() & both) == both;
}

template <class Number>
bool holds(const py::object& array) {
    return py::isinstance<py::array_t<Number>>(array);
}

// The rows of an array of float32 or float64; n = 0 if it is anything else, or not as wide. A vector is a column or, if
// it may be, a row.
inline Rows plain_rows(const py::object& object, Index columns, bool may_be_row = false) {
    if (!is_plain_array(object) || !(holds<float>(object) || holds<double>(object))) return {};
    const auto a = py::reinterpret_borrow<py::array>(object);
    const bool is_column = a.ndim() == 1 && columns == 1;
    const bool is_row = a.ndim() == 1 && may_be_row && a.shape(0) == columns && !is_column;
    if (!is_column && !is_row && (a.ndim() != 2 || a.shape(1) != columns)) return {};
    Rows rows;
    rows.type = a.itemsize() == 4 ? Source::f32 : Source::f64;
    rows.data = a.data();
    rows.n = is_row ? 1 : a.shape(0), rows.columns = rows.stride = columns;
    return rows;
}

// Whether all numbers of plain rows are finite, as numbers of T too.
template <class T>
bool all_finite(const Rows& rows) {
    const Index n = rows.n * rows.columns;
    if (rows.type == Source::f32) return kernels<float>().all_finite(static_cast<const float*>(rows.data), n);
    const auto* const values = static_cast<const double*>(rows.data);
    if (sizeof(T) == sizeof(double)) return kernels<double>().all_finite(values, n);
    bool fit = true;
    for (Index i = 0; i < n; i++) fit &= std::abs(values[i]) <= std::numeric_limits<float>::max();
    return fit;
}

template <class Number, class Bound>
bool all_within(const Number* values, Index n, Bound least, Bound most) {
    bool within = true;
    for (Index i = 0; i < n; i++) within &= values[i] >= least && values[i] <= most;
    return within;
}
inline bool all_within(const Rows& rows, double least, double most) {
    const Index n = rows.n * rows.columns;
    if (rows.type == Source::f32) return all_within(static_cast<const float*>(rows.data), n, least, most);
    return all_within(static_cast<const double*>(rows.data), n, least, most);
}

// Whether one of the first n of plain rows has a number beyond 1.
template <class Number>
bool beyond_one(const Number* values, Index n) {
    bool beyond = false;
    for (Index i = 0; i < n; i++) beyond |= values[i] > 1;
    return beyond;
}
inline bool beyond_one(const Rows& rows, Index n) {
    n *= rows.columns;
    if (rows.type == Source::f32) return beyond_one(static_cast<const float*>(rows.data), n);
    return beyond_one(static_cast<const double*>(rows.data), n);
}

// Whether the inputs call for a warning: the network was trained on pixels as x / 255, and these are not such.
template <class T>
bool are_no_pixels(const Network<T>& net, const Rows& rows) {
    return net.trained_on.load(std::memory_order_relaxed) == TrainedOn::pixels && beyond_one(rows, rows.n);
}

// Whether the network is to remember that it was trained on such inputs. Only the first row is looked at: if it has no
// number beyond 1, that of a later batch will.
template <class T>
bool tell_more(const Network<T>& net, const Rows& rows) {
    return net.trained_on.load(std::memory_order_relaxed) == TrainedOn::unknown && beyond_one(rows, 1);
}

// Samples that point into arrays, which have to stay alive; arrays of other number types are copied.
class PlainSamples {
  public:
    Samples samples;

    // False if the arrays are not plain, or not what the network and a loss with targets in [least, most] take.
    template <class T>
    bool take(const Network<T>& net, const py::object& x, const py::object& y, const py::object& weights, double least,
              double most) {
        samples.x = plain_rows(x, net.n_in());
        if (samples.x.n == 0 || !all_finite<T>(samples.x)) return false;
        if (are_no_pixels(net, samples.x) || tell_more(net, samples.x)) return false;
        if (!take_integers(y, net.n_out())) samples.y = plain_rows(y, net.n_out());
        return targets_fit<T>(net.n_out(), least, most) && take_weights(weights);
    }

  private:
    // Integers (n,): classes, or the values of a single output; false if y is anything else.
    bool take_integers(const py::object& y, Index n_out) {
        if (!is_plain_array(y)) return false;
        const auto a = py::reinterpret_borrow<py::array>(y);
        if (a.ndim() != 1 || a.shape(0) != samples.x.n) return false;
        if (n_out == 1) {
            if (!copy_integers(a, values_)) return false;
            samples.y = {values_.data(), Source::f64, samples.x.n, 1, 1};
        } else if (holds<std::int64_t>(a)) {
            samples.labels = static_cast<const std::int64_t*>(a.data()), samples.label_end = n_out;
        } else {
            if (!copy_integers(a, labels_)) return false;
            samples.labels = labels_.data(), samples.label_end = n_out;
        }
        return true;
    }
    template <class Number>
    bool copy_integers(const py::array& a, std::vector<Number>& to) const {
        return copy<std::int64_t>(a, to) || copy<std::int32_t>(a, to) || copy<std::uint8_t>(a, to);
    }
    template <class Integer, class Number>
    bool copy(const py::array& a, std::vector<Number>& to) const {
        if (!holds<Integer>(a)) return false;
        const auto* const from = static_cast<const Integer*>(a.data());
        to.resize(static_cast<std::size_t>(samples.x.n));
        for (std::size_t i = 0; i < to.size(); i++) to[i] = static_cast<Number>(from[i]);
        return true;
    }
    template <class T>
    bool targets_fit(Index n_out, double least, double most) const {
        if (samples.labels) return all_within(samples.labels, samples.x.n, Index{0}, n_out - 1);
        return samples.y.n == samples.x.n && all_finite<T>(samples.y) && all_within(samples.y, least, most);
    }
    // Float64 (n,), each 0 or within bounds, and not all 0; or None.
    bool take_weights(const py::object& weights) {
        if (weights.is_none()) return true;
        const Rows rows = plain_rows(weights, 1);
        if (rows.n != samples.x.n || rows.type != Source::f64 || !all_finite<double>(rows)) return false;
        samples.weights = static_cast<const double*>(rows.data);
        bool any = false;
        for (Index i = 0; i < rows.n; i++) {
            const double weight = samples.weights[i];
            if (weight != 0 && !(weight >= kLeastWeight && weight <= kMostWeight)) return false;
            any = any || weight != 0;
        }
        return any;
    }

    std::vector<std::int64_t> labels_;
    std::vector<double> values_;
};

}  // namespace foxnn
