#include <algorithm>

#include "bindings/arrays.hpp"
#include "bindings/without_gil.hpp"

namespace foxnn {

void bind_samples(py::module_& m) {
    py::class_<SamplesOwner>(m, "Samples", "Inputs with targets (rows of numbers, a class each, or none) and weights.")
        .def(py::init([](const py::array& x, const py::object& y, const py::object& labels, const py::object& weights,
                         double scale, double offset, const std::string& correct, const py::object& numbers) {
                 SamplesOwner o{{}, x, y, labels, weights, numbers};
                 o.samples.x = rows_of(x, scale, offset);
                 const auto length_is_n = [&](const py::array& a) {
                     return a.ndim() == 1 && a.shape(0) == o.samples.x.n;
                 };
                 if (!y.is_none()) {
                     o.samples.y = rows_of(y.cast<py::array>(), 1, 0);
                     if (o.samples.y.n != o.samples.x.n) throw py::value_error("x and y differ in length");
                 }
                 if (!labels.is_none()) {
                     const auto a = labels.cast<py::array_t<std::int64_t, py::array::c_style>>();
                     if (!length_is_n(a)) throw py::value_error("x and labels differ in length");
                     o.labels = a;
                     o.samples.labels = a.data();
                     for (Index i = 0; i < a.size(); i++) {
                         if (a.data()[i] < 0 || a.data()[i] > kMost)
                             throw py::value_error("labels: it takes classes from 0 to " + std::to_string(kMost));
                         o.samples.label_end = std::max(o.samples.label_end, a.data()[i] + 1);
                     }
                 }
                 if (!y.is_none() && !labels.is_none()) throw py::value_error("either y or labels");
                 if (!weights.is_none()) {
                     const auto a = weights.cast<py::array_t<double, py::array::c_style>>();
                     if (!length_is_n(a)) throw py::value_error("x and weights differ in length");
                     o.weights = a;
                     o.samples.weights = a.data();
                 }
                 if (!numbers.is_none()) {
                     const auto a = numbers.cast<py::array_t<std::int64_t, py::array::c_style>>();
                     if (!length_is_n(a)) throw py::value_error("x and numbers differ in length");
                     o.numbers = a;
                     o.samples.numbers = a.data();
                 }
                 o.samples.correct = correct == "largest" ? Correct::largest
                                     : correct == "sides" ? Correct::sides
                                                          : Correct::not_counted;
                 return o;
             }),
             py::arg("x"), py::arg("y"), py::arg("labels"), py::arg("weights"), py::arg("scale"), py::arg("offset"),
             py::arg("correct"), py::arg("numbers") = py::none())
        .def("__len__", [](const SamplesOwner& o) { return o.samples.x.n; })
        .def("fit_scaling",
             [](const SamplesOwner& o, bool outputs, const std::string& kind, const py::object& order, int n_threads) {
                 const Rows& rows = outputs ? o.samples.y : o.samples.x;
                 if (!rows.data) throw py::value_error("y: got classes; with scale_outputs it takes values");
                 const Order positions(order);
                 const Index n = positions.size_among(o.samples);
                 if (n == 0) throw py::value_error("order: it takes at least one sample");
                 for (Index i = 0; positions.data() && i < n; i++)
                     if (positions.data()[i] < 0 || positions.data()[i] >= rows.n)
                         throw py::value_error("order: it takes numbers of samples");
                 const Scaling scaling =
                     without_gil([&] { return fit_scaling(kind, rows, positions.data(), n, n_threads); });
                 return py::make_tuple(scaling.shift, scaling.spread);
             });
}

}  // namespace foxnn
