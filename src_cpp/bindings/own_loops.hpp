// The trainer for own loops, and gradients as lists of arrays.
#pragma once
#include "bindings/arrays.hpp"
#include "bindings/gil.hpp"
#include "bindings/trainer_owner.hpp"
#include "bindings/without_gil.hpp"
#include "core/trainer.hpp"

namespace foxnn {

inline const char* name_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::finished:
            return "finished";
        case Outcome::paused:
        case Outcome::interrupted:
            return "paused";
        case Outcome::loss_not_finite:
            return "loss";
        case Outcome::update_not_finite:
            return "update";
    }
    return "";
}

// The arrays that go with a layer's parameters, which lie one after the other in `arrays` by their numbers.
template <class T>
py::tuple arrays_of(const Layer<T>& layer, const std::vector<Buffer<T>>& arrays) {
    py::tuple result(layer.parameters().size());
    std::size_t i = 0;
    for (const Parameter<T>* parameter : layer.parameters()) {
        auto array = new_array<T>(parameter->shape);
        parameter->panels.read(arrays[static_cast<std::size_t>(parameter->number)].data(), array.mutable_data());
        result[i++] = std::move(array);
    }
    return result;
}

// Raises unless the trainer is that network's.
template <class T>
void check_owner(const Trainer<T>& trainer, const Network<T>& net) {
    if (&trainer.network() != &net) throw py::value_error("network: the trainer is of another one");
}

template <class T>
void set_arrays(const Layer<T>& layer, std::vector<Buffer<T>>& arrays, const std::vector<Array<T>>& given) {
    if (given.size() != layer.parameters().size()) throw py::value_error("wrong number of arrays");
    for (std::size_t i = 0; i < given.size(); i++) {
        const Parameter<T>& parameter = *layer.parameters()[i];
        if (given[i].size() != product(parameter.panels.rows, parameter.panels.columns))
            throw py::value_error("wrong shape");
        parameter.panels.write(arrays[static_cast<std::size_t>(parameter.number)].data(), given[i].data());
    }
}

template <class T>
py::list list_of(const Network<T>& net, const Gradients<T>& gradients) {
    py::list list;
    for (const auto& layer : net.layers) list.append(arrays_of(*layer, gradients.arrays));
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
Gradients<T> gradients_of(const Network<T>& net, const std::vector<std::vector<Array<T>>>& list) {
    if (list.size() != net.layers.size()) throw py::value_error("gradients: wrong number of layers");
    Gradients<T> gradients(net);
    for (std::size_t l = 0; l < net.layers.size(); l++) set_arrays(*net.layers[l], gradients.arrays, list[l]);
    return gradients;
}

template <class T>
void check_outputs(const Network<T>& net, const Array<T>& d) {
    if (d.ndim() != 2 || d.shape(1) != net.n_out()) throw py::value_error("d: wrong shape");
}

inline ForwardFor forward_for(const std::string& purpose) {
    if (purpose == "training") return ForwardFor::training;
    if (purpose == "gradients") return ForwardFor::gradients;
    if (purpose == "prediction") return ForwardFor::prediction;
    throw py::value_error("purpose: unknown '" + purpose + "'");
}

inline RunOptions step_options(double learning_rate, double l1, double l2, int n_threads) {
    RunOptions options;
    options.learning_rate = learning_rate;
    options.penalty = {l1, l2};
    options.n_threads = n_threads;
    return options;
}

template <class T>
void bind_own_loops(py::class_<TrainerOwner<T>>& trainer) {
    using State = OptimizerState<T>;
    trainer
        .def(
            "forward_batch",
            [](TrainerOwner<T>& of, const Network<T>& net, const SamplesOwner& owner, const py::object& order,
               Index begin, Index end, const std::string& purpose, int n_threads, std::uint64_t seed,
               std::uint32_t epoch) {
                const typename TrainerOwner<T>::Use use(of);
                Trainer<T>& trainer = *use;
                check_owner(trainer, net);
                RunOptions options;
                options.n_threads = n_threads;
                options.seed = seed;
                options.epoch = epoch;
                const Order held(order);
                const std::int64_t* const positions = held.up_to(end, owner.samples);
                if (begin < 0 || begin >= end) throw py::value_error("begin: it takes a position before the end");
                auto y = new_array<T>({end - begin, net.n_out()});
                T* const out = y.mutable_data();
                const ForwardFor what_for = forward_for(purpose);
                without_gil(
                    [&] { trainer.forward_batch(owner.samples, positions, begin, end, what_for, options, out); });
                return y;
            },
            py::arg("network"), py::arg("samples"), py::arg("order"), py::arg("begin"), py::arg("end"),
            py::arg("purpose"), py::arg("n_threads"), py::arg("seed"), py::arg("epoch"))
        .def("keeps",
             [](TrainerOwner<T>& of, Index rows) {
                 const typename TrainerOwner<T>::Use use(of);
                 return (*use).keeps(rows);
             })
        .def("layer_output",
             [](TrainerOwner<T>& of, const Network<T>& net, std::size_t l, Index rows) -> py::object {
                 const typename TrainerOwner<T>::Use use(of);
                 Trainer<T>& trainer = *use;
                 check_owner(trainer, net);
                 if (!trainer.keeps(rows)) return py::none();
                 auto out = new_array<T>({rows, net.layers.at(l)->n_out()});
                 return trainer.layer_output(l, rows, out.mutable_data()) ? py::object(out) : py::none();
             })
        // None if no forward_batch() is kept for so many rows.
        .def(
            "backward_batch",
            [](TrainerOwner<T>& of, const Network<T>& net, const Array<T>& d, bool parameters, bool inputs,
               int n_threads) -> py::object {
                const typename TrainerOwner<T>::Use use(of);
                Trainer<T>& trainer = *use;
                check_owner(trainer, net);
                check_outputs(net, d);
                const Index rows = d.shape(0);
                Gradients<T> gradients;
                auto d_x = new_array<T>({inputs ? rows : 0, net.n_in()});
                T* const to_x = inputs ? d_x.mutable_data() : nullptr;
                const bool done = without_gil([&] {
                    return trainer.backward_batch(d.data(), rows, parameters ? &gradients : nullptr, to_x, n_threads);
                });
                if (!done) return py::none();
                return gradient_result(net, gradients, d_x, parameters, inputs);
            },
            py::arg("network"), py::arg("d"), py::arg("parameters"), py::arg("inputs"), py::arg("n_threads"))
        .def(
            "update_batch",
            [](TrainerOwner<T>& of, const Network<T>& net, const Array<T>& d, bool weighted, State& optimizer,
               double learning_rate, double l1, double l2, int n_threads) -> py::object {
                const typename TrainerOwner<T>::Use use(of);
                Trainer<T>& trainer = *use;
                check_owner(trainer, net);
                check_outputs(net, d);
                const auto options = step_options(learning_rate, l1, l2, n_threads);
                Outcome outcome;
                const bool done = without_gil(
                    [&] { return trainer.update_batch(d.data(), d.shape(0), weighted, optimizer, options, outcome); });
                return done ? py::object(py::str(name_of(outcome))) : py::none();
            },
            py::arg("network"), py::arg("d"), py::arg("weighted"), py::arg("optimizer"), py::arg("learning_rate"),
            py::arg("l1"), py::arg("l2"), py::arg("n_threads"))
        .def(
            "apply",
            [](TrainerOwner<T>& of, const Network<T>& net, const std::vector<std::vector<Array<T>>>& list,
               State& optimizer, double learning_rate, int n_threads) {
                const typename TrainerOwner<T>::Use use(of);
                Trainer<T>& trainer = *use;
                check_owner(trainer, net);
                Gradients<T> gradients = gradients_of(net, list);
                const auto options = step_options(learning_rate, 0, 0, n_threads);
                const ReleasedGil released;
                return name_of(trainer.apply(std::move(gradients), optimizer, options));
            },
            py::arg("network"), py::arg("gradients"), py::arg("optimizer"), py::arg("learning_rate"),
            py::arg("n_threads"));
}

}  // namespace foxnn
