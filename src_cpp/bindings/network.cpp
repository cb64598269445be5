#include "core/network.hpp"

#include "bindings/copies.hpp"
#include "bindings/gil.hpp"
#include "bindings/layer_handle.hpp"
#include "bindings/locks.hpp"
#include "bindings/plain.hpp"
#include "bindings/without_gil.hpp"
#include "core/layers/kinds.hpp"

namespace foxnn {
namespace {

const std::string kTrainedOn[] = {"", "uint8", "numbers beyond 1"};  // in the order of TrainedOn

template <class T>
void bind_network(py::module_& m, const char* name) {
    using Net = Network<T>;
    py::class_<Net>(m, name, "A stack of layers.")
        .def(py::init<>())
        .def(
            "copy", [](const Net& net, bool folded) { return without_gil([&] { return net.copy(folded); }); },
            py::arg("folded") = false)
        // Returns how many of the layers that follow were replaced, as their inputs have another shape now; so does
        // erase.
        .def("insert",
             [](Net& net, std::size_t l, const std::string& kind, const std::vector<Index>& input_shape,
                const GivenSettings& settings) {
                 auto layer = make_layer<T>(kind, Shape(input_shape), settings_of(settings));
                 const auto lock = to_change(net);
                 return net.insert(l, std::move(layer));
             })
        .def("erase",
             [](Net& net, std::size_t l) {
                 const auto lock = to_change(net);
                 return net.erase(l);
             })
        .def(
            "layer",
            [](Net& net, std::size_t l) {
                const auto lock = to_read(net);
                return LayerHandle<T>(net, net.layers.at(l));
            },
            py::keep_alive<0, 1>())
        .def("read", &read_arrays<T>, py::arg("places"), py::arg("optimizer") = nullptr)
        .def("write", &write_arrays<T>)
        .def_property(
            "trained_on", [](const Net& net) { return kTrainedOn[static_cast<int>(net.trained_on.load())]; },
            [](Net& net, const std::string& name) {
                const auto* const found = std::find(std::begin(kTrainedOn), std::end(kTrainedOn), name);
                if (found == std::end(kTrainedOn)) throw py::value_error("trained_on: no such kind");
                net.trained_on = static_cast<TrainedOn>(found - std::begin(kTrainedOn));
            })
        .def("set_input_noise",
             [](Net& net, double deviation, double dropout) {
                 const auto lock = to_change(net);
                 net.changes++;
                 net.input_noise = static_cast<T>(deviation), net.input_dropout = static_cast<T>(dropout);
             })
        // Shift and spread of inputs and of outputs; empty lists: nothing is scaled.
        .def("set_scalings",
             [](Net& net, const std::vector<double>& input_shift, const std::vector<double>& input_spread,
                const std::vector<double>& output_shift, const std::vector<double>& output_spread) {
                 Scaling inputs(input_shift, input_spread), outputs(output_shift, output_spread);
                 const auto fits = [](const Scaling& scaling, Index width) {
                     return scaling.empty() || scaling.shift.size() == static_cast<std::size_t>(width);
                 };
                 const auto lock = to_change(net);
                 if (!fits(inputs, net.n_in()) || !fits(outputs, net.n_out()))
                     throw std::invalid_argument("scaling: wrong width");
                 net.changes++;
                 net.input_scaling = std::move(inputs), net.output_scaling = std::move(outputs);
             })
        .def(
            "predict",
            [](const Net& net, const py::array& x, double scale, double offset, int n_threads) {
                const Rows rows = rows_of(x, scale, offset);
                if (rows.columns != net.n_in()) throw py::value_error("x: wrong width");
                auto out = new_array<T>({rows.n, net.n_out()});
                T* const data = out.mutable_data();
                without_gil([&] { net.predict(rows, data, n_threads); });
                return out;
            },
            py::arg("x"), py::arg("scale"), py::arg("offset"), py::arg("n_threads"))
        // Of a plain matrix, or vector, of finite numbers; None if it is not that case.
        .def("predict_plain",
             [](const Net& net, const py::object& object, int n_threads) -> py::object {
                 const Rows rows = plain_rows(object, net.n_in(), true);
                 if (rows.n == 0) return py::none();
                 const bool single = net.n_in() > 1 && py::reinterpret_borrow<py::array>(object).ndim() == 1;
                 auto out = single ? new_array<T>({net.n_out()}) : new_array<T>({rows.n, net.n_out()});
                 T* const data = out.mutable_data();
                 // Handing the GIL over costs more than a few thousand operations do.
                 if (net.flops_per_sample() * static_cast<double>(rows.n) < 2e5) {
                     if (!all_finite<T>(rows) || are_no_pixels(net, rows)) return py::none();
                     if (net.predict_if_free(rows, data, n_threads)) return out;
                 }
                 const bool finite = without_gil([&] {
                     const bool in_place = rows.is_plain<T>();  // then they are checked while they are read
                     return (in_place || all_finite<T>(rows)) && !are_no_pixels(net, rows) &&
                            net.predict(rows, data, n_threads, in_place);
                 });
                 return finite ? py::object(std::move(out)) : py::none();
             })
        .def(
            "evaluate",
            [](const Net& net, const SamplesOwner& owner, const std::string& loss,
               const std::vector<double>& parameters, int n_threads) {
                const auto use = net.use_loss(loss, parameters);
                const Totals totals = without_gil([&] { return net.evaluate(owner.samples, use, n_threads); });
                return py::make_tuple(totals.loss, totals.weight, totals.correct);
            },
            py::arg("samples"), py::arg("loss"), py::arg("parameters"), py::arg("n_threads"));
}

}  // namespace

void bind_networks(py::module_& m) {
    bind_layer<float>(m, "LayerF32");
    bind_layer<double>(m, "LayerF64");
    bind_network<float>(m, "NetworkF32");
    bind_network<double>(m, "NetworkF64");
}

}  // namespace foxnn
