// The trainer's halves of a batch, and gradients as lists of arrays.
#pragma once
#include "bindings/arrays.hpp"
#include "core/trainer.hpp"

namespace foxnn {

inline const char* name_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::finished:
            return "finished";
        case Outcome::paused:
            return "paused";
        case Outcome::loss_not_finite:
            return "loss";
        case Outcome::update_not_finite:
            return "update";
    }
    return "";
}

// For each layer a pair: (n_in, n_out) and (n_out,).
template <class T>
py::list list_of(const Network<T>& net, const Gradients<T>& gradients) {
    py::list list;
    for (std::size_t l = 0; l < net.layers.size(); l++) {
        const Dense<T>& layer = net.layers[l];
        auto weights = new_array<T>({layer.n_in, layer.n_out}), bias = new_array<T>({layer.n_out});
        layer.get(gradients.layers[l][Part::weights], weights.mutable_data());
        std::copy_n(gradients.layers[l][Part::bias].data(), layer.n_out, bias.mutable_data());
        list.append(py::make_tuple(weights, bias));
    }
    return list;
}

// What was asked for: gradients of the parameters, of the inputs, or a pair of both.
template <class T>
py::object gradient_result(const Network<T>& net, const Gradients<T>& gradients, const py::array& d_x, bool parameters,
                           bool inputs) {
    if (!inputs) return list_of(net, gradients);
    if (!parameters) return d_x;
    return py::make_tuple(list_of(net, gradients), d_x);
}

template <class T>
Gradients<T> gradients_of(const Network<T>& net, const std::vector<std::pair<Array<T>, Array<T>>>& list) {
    if (list.size() != net.layers.size()) throw py::value_error("gradients: wrong number of layers");
    Gradients<T> gradients(net);
    for (std::size_t l = 0; l < net.layers.size(); l++) {
        const Dense<T>& layer = net.layers[l];
        const auto& [weights, bias] = list[l];
        if (weights.size() != layer.n_in * layer.n_out || bias.size() != layer.n_out)
            throw py::value_error("gradients: wrong shape");
        layer.set(gradients.layers[l][Part::weights], weights.data());
        std::copy_n(bias.data(), layer.n_out, gradients.layers[l][Part::bias].data());
    }
    return gradients;
}

template <class T>
void check_outputs(const Network<T>& net, const Array<T>& d) {
    if (d.ndim() != 2 || d.shape(1) != net.n_out()) throw py::value_error("d: wrong shape");
}

inline RunOptions step_options(double learning_rate, double l1, double l2, int n_threads) {
    RunOptions options;
    options.learning_rate = learning_rate;
    options.penalty = {l1, l2};
    options.n_threads = n_threads;
    return options;
}

template <class T>
void bind_halves(py::class_<Trainer<T>>& trainer) {
    using State = OptimizerState<T>;
    trainer
        .def(
            "forward_half",
            [](Trainer<T>& trainer, const Network<T>& net, const SamplesOwner& owner, const py::object& order,
               Index begin, Index end, bool training, int n_threads, std::uint64_t seed, std::uint32_t epoch) {
                RunOptions options;
                options.random = training;
                options.n_threads = n_threads;
                options.seed = seed;
                options.epoch = epoch;
                py::array_t<std::int64_t, py::array::c_style> held;
                if (!order.is_none()) held = order.cast<decltype(held)>();
                const std::int64_t* const positions = order.is_none() ? nullptr : held.data();
                auto y = new_array<T>({end - begin, net.n_out()});
                T* const out = y.mutable_data();
                py::gil_scoped_release release;
                trainer.forward_half(owner.samples, positions, begin, end, options, out);
                return y;
            },
            py::arg("network"), py::arg("samples"), py::arg("order"), py::arg("begin"), py::arg("end"),
            py::arg("training"), py::arg("n_threads"), py::arg("seed"), py::arg("epoch"))
        .def("keeps", &Trainer<T>::keeps)
        .def("layer_output",
             [](const Trainer<T>& trainer, const Network<T>& net, std::size_t l, Index rows) {
                 auto out = new_array<T>({rows, net.layers.at(l).n_out});
                 trainer.layer_output(l, rows, out.mutable_data());
                 return out;
             })
        // None if no forward half is kept for so many rows.
        .def(
            "backward_half",
            [](Trainer<T>& trainer, const Network<T>& net, const Array<T>& d, bool parameters, bool inputs,
               int n_threads) -> py::object {
                check_outputs(net, d);
                const Index rows = d.shape(0);
                Gradients<T> gradients;
                auto d_x = new_array<T>({inputs ? rows : 0, net.n_in()});
                T* const to_x = inputs ? d_x.mutable_data() : nullptr;
                bool done;
                {
                    py::gil_scoped_release release;
                    done = trainer.backward_half(d.data(), rows, parameters ? &gradients : nullptr, to_x, n_threads);
                }
                if (!done) return py::none();
                return gradient_result(net, gradients, d_x, parameters, inputs);
            },
            py::arg("network"), py::arg("d"), py::arg("parameters"), py::arg("inputs"), py::arg("n_threads"))
        .def(
            "update_half",
            [](Trainer<T>& trainer, const Network<T>& net, const Array<T>& d, bool weighted, State& optimizer,
               double learning_rate, double l1, double l2, int n_threads) -> py::object {
                check_outputs(net, d);
                const auto options = step_options(learning_rate, l1, l2, n_threads);
                Outcome outcome;
                bool done;
                {
                    py::gil_scoped_release release;
                    done = trainer.update_half(d.data(), d.shape(0), weighted, optimizer, options, outcome);
                }
                return done ? py::object(py::str(name_of(outcome))) : py::none();
            },
            py::arg("network"), py::arg("d"), py::arg("weighted"), py::arg("optimizer"), py::arg("learning_rate"),
            py::arg("l1"), py::arg("l2"), py::arg("n_threads"))
        .def(
            "apply",
            [](Trainer<T>& trainer, const Network<T>& net, const std::vector<std::pair<Array<T>, Array<T>>>& list,
               State& optimizer, double learning_rate, int n_threads) {
                Gradients<T> gradients = gradients_of(net, list);
                const auto options = step_options(learning_rate, 0, 0, n_threads);
                py::gil_scoped_release release;
                return name_of(trainer.apply(std::move(gradients), optimizer, options));
            },
            py::arg("network"), py::arg("gradients"), py::arg("optimizer"), py::arg("learning_rate"),
            py::arg("n_threads"));
}

}  // namespace foxnn
