#include "core/network.hpp"

#include "bindings/copies.hpp"
#include "bindings/gil.hpp"
#include "bindings/locks.hpp"
#include "bindings/plain.hpp"
#include "bindings/without_gil.hpp"
#include "core/initializers.hpp"

namespace foxnn {
namespace {

const std::string kTrainedOn[] = {"", "uint8", "numbers beyond 1"};  // in the order of TrainedOn

template <class T>
Layer<T>& layer_of(const Network<T>& net, std::size_t l) {
    return *net.layers.at(l);
}

template <class T>
Dense<T>& dense_of(const Network<T>& net, std::size_t l) {
    auto* const layer = dynamic_cast<Dense<T>*>(&layer_of(net, l));
    if (!layer) throw py::value_error("layer: it is not dense");
    return *layer;
}

template <class T>
void bind_network(py::module_& m, const char* name) {
    using Net = Network<T>;
    py::class_<Net>(m, name, "A stack of dense layers.")
        .def(py::init<>())
        .def("append",
             [](Net& net, Index n_in, Index n_out, const std::string& activation,
                const std::vector<double>& parameters) {
                 auto layer = std::make_unique<Dense<T>>(n_in, n_out, activation, parameters);
                 const auto lock = to_change(net);
                 net.insert(net.layers.size(), std::move(layer));
             })
        .def(
            "copy", [](const Net& net, bool folded) { return without_gil([&] { return net.copy(folded); }); },
            py::arg("folded") = false)
        .def("set_norm",
             [](Net& net, std::size_t l, const std::string& kind, double momentum, double epsilon) {
                 const auto lock = to_change(net);
                 typename Net::Layers fresh;
                 fresh.push_back(dense_of(net, l).copy());
                 static_cast<Dense<T>&>(*fresh[0]).set_norm(norm_kind(kind), momentum, epsilon);
                 net.replace(l, l + 1, std::move(fresh));
             })
        // Whether the layer that follows has another number of inputs then, and zeros for weights. So does erase.
        .def("insert",
             [](Net& net, std::size_t l, Index n_in, Index n_out, const std::string& activation,
                const std::vector<double>& parameters) {
                 auto layer = std::make_unique<Dense<T>>(n_in, n_out, activation, parameters);
                 const auto lock = to_change(net);
                 return net.insert(l, std::move(layer));
             })
        .def("erase",
             [](Net& net, std::size_t l) {
                 const auto lock = to_change(net);
                 return net.erase(l);
             })
        .def("initialize",
             [](Net& net, std::size_t l, const std::string& init, std::uint64_t seed, std::uint32_t stream,
                int n_threads) {
                 Dense<T>& layer = dense_of(net, l);
                 Buffer<T> w(layer.weights.values.size()), b(layer.bias.values.size());
                 without_gil([&] {
                     initialize(init, layer.weights.panels, seed, stream, w.data(), b.data(), n_threads);
                     const std::unique_lock lock(net.mutex);
                     net.changes++;
                     layer.weights.values = std::move(w), layer.bias.values = std::move(b);
                 });
             })
        .def("read", &read_arrays<T>, py::arg("places"), py::arg("optimizer") = nullptr)
        .def("write", &write_arrays<T>)
        .def("set_activation",
             [](Net& net, std::size_t l, const std::string& activation, const std::vector<double>& parameters) {
                 const auto lock = to_change(net);
                 dense_of(net, l).epilogue.set_activation(activation, parameters);
                 net.changes++;
             })
        .def("set_dropout",
             [](Net& net, std::size_t l, double rate) {
                 const auto lock = to_change(net);
                 dense_of(net, l).epilogue.dropout = static_cast<T>(rate);
                 net.changes++;
             })
        .def_property(
            "trained_on", [](const Net& net) { return kTrainedOn[static_cast<int>(net.trained_on.load())]; },
            [](Net& net, const std::string& name) {
                const auto* const found = std::find(std::begin(kTrainedOn), std::end(kTrainedOn), name);
                if (found == std::end(kTrainedOn)) throw py::value_error("trained_on: no such kind");
                net.trained_on = static_cast<TrainedOn>(found - std::begin(kTrainedOn));
            })
        .def("set_max_norm",
             [](Net& net, std::size_t l, double most) {
                 const auto lock = to_change(net);
                 dense_of(net, l).weights.max_norm = static_cast<T>(most);
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
        .def("get_trainable",
             [](const Net& net, std::size_t l) {
                 const auto lock = to_read(net);
                 return layer_of(net, l).trainable;
             })
        .def("set_trainable",
             [](Net& net, std::size_t l, bool trainable) {
                 const auto lock = to_change(net);
                 layer_of(net, l).trainable = trainable;
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
    bind_network<float>(m, "NetworkF32");
    bind_network<double>(m, "NetworkF64");
}

}  // namespace foxnn
