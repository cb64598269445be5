#include "core/trainer.hpp"

#include "bindings/gil.hpp"
#include "bindings/own_loops.hpp"
#include "bindings/plain.hpp"

namespace foxnn {
namespace {

// How far a training has come. A run updates it itself, rather than return it: if Python ran the handler of a signal
// right after the run, and that raised, the result would be lost, though the weights have been changed.
struct Progress {
    Index next = 0;   // position in the order
    Index steps = 0;  // of all runs
    Totals totals;
};

void bind_progress(py::module_& m) {
    py::class_<Progress>(m, "Progress", "How far a training is; its runs move it on.")
        .def(py::init([](Index next, Index steps, double loss, double weight, double correct) {
                 return Progress{next, steps, {loss, weight, correct}};
             }),
             py::arg("next") = 0, py::arg("steps") = 0, py::arg("loss") = 0.0, py::arg("weight") = 0.0,
             py::arg("correct") = 0.0)
        .def("advance",
             [](Progress& p, Index next, double loss, double weight, double correct) {  // by a step
                 p.next = next, p.steps++;
                 p.totals.loss += loss, p.totals.weight += weight, p.totals.correct += correct;
             })
        .def("begin_part", [](Progress& p) { p.next = 0; })
        .def("begin_epoch", [](Progress& p) { p.next = 0, p.totals = {}; })
        .def_readonly("next", &Progress::next)
        .def_readonly("steps", &Progress::steps)
        .def_property_readonly(
            "sums", [](const Progress& p) { return py::make_tuple(p.totals.loss, p.totals.weight, p.totals.correct); });
}

template <class T>
void bind_trainer(py::module_& m, const std::string& suffix) {
    using State = OptimizerState<T>;
    const auto check_memory = [](const State& s, const Network<T>& net, Index i) {
        s.check(net);
        if (i < 0 || i >= s.kernel->n_state) throw py::index_error("the optimizer does not remember as much");
    };
    py::class_<State>(m, ("Optimizer" + suffix).c_str(), "An optimizer's hyper-parameters and memory.")
        .def(py::init<const Network<T>&, const std::string&, const std::vector<double>&>())
        .def("reset", &State::reset)
        .def("copy_with",
             [](const State& s, const Network<T>& net) { return without_gil([&] { return s.copy_with(net); }); })
        .def_readwrite("t", &State::t)
        .def_property(
            "hyper", [](const State& s) { return s.hyper; },
            [](State& s, const std::vector<double>& values) {
                if (values.size() != s.hyper.size()) throw py::value_error("hyper: wrong length");
                s.hyper = values;
            })
        .def_readwrite("clip_value", &State::clip_value)
        .def_readwrite("clip_norm", &State::clip_norm)
        .def("get",
             [check_memory](const State& s, const Network<T>& net, std::size_t l, Index i) {
                 check_memory(s, net, i);
                 return arrays_of(*net.layers.at(l), s.memory[i]);
             })
        .def("set", [check_memory](State& s, const Network<T>& net, std::size_t l, Index i, const py::args& arrays) {
            check_memory(s, net, i);
            set_arrays(*net.layers.at(l), s.memory[i], arrays.cast<std::vector<Array<T>>>());
        });

    py::class_<TrainerOwner<T>> trainer(m, ("Trainer" + suffix).c_str(),
                                        "Trains one network with one loss; '': its own.");
    bind_own_loops(trainer);
    trainer.def(py::init<Network<T>&, const std::string&, const std::vector<double>&>(), py::keep_alive<1, 2>())
        .def("trains", [](const TrainerOwner<T>& of, const Network<T>& net) { return &of.network == &net; })
        .def(
            "run",
            [](TrainerOwner<T>& of, const SamplesOwner& owner, const py::object& order, Progress& progress, Index end,
               State& optimizer, Index batch_size, const py::object& learning_rate, double l1, double l2, bool sum,
               double seconds, int n_threads, std::uint64_t seed, std::uint32_t epoch) {
                const typename TrainerOwner<T>::Use use(of);
                Trainer<T>& trainer = *use;
                if (batch_size < 1) throw py::value_error("batch_size: it takes at least 1");
                RunOptions options;
                options.batch_size = batch_size;
                py::array_t<double, py::array::c_style> rates;
                if (py::isinstance<py::array>(learning_rate)) {
                    rates = learning_rate.cast<decltype(rates)>();
                    if (rates.ndim() != 1 || rates.size() < (end - progress.next - 1) / batch_size + 1)
                        throw py::value_error("learning_rate: fewer rates than steps");
                    options.learning_rates = rates.data();
                } else {
                    options.learning_rate = learning_rate.cast<double>();
                }
                options.penalty = {l1, l2};
                options.sum = sum;
                options.seconds = seconds;
                options.n_threads = n_threads;
                options.seed = seed;
                options.epoch = epoch;
                options.totals = progress.totals;
                const Order held(order);
                const std::int64_t* const positions = held.up_to(end, owner.samples);
                const RunResult r = without_gil([&] {
                    const auto result = trainer.run(owner.samples, positions, progress.next, end, optimizer, options);
                    if (result.outcome == Outcome::interrupted && result.steps == 0) throw Interrupted();
                    return result;
                });
                progress.next = r.next;
                progress.steps += r.steps;
                progress.totals = r.totals;
                if (r.outcome == Outcome::interrupted) check_signals();
                return name_of(r.outcome);
            },
            py::arg("samples"), py::arg("order"), py::arg("progress"), py::arg("end"), py::arg("optimizer"),
            py::arg("batch_size"), py::arg("learning_rate"), py::arg("l1"), py::arg("l2"), py::arg("sum"),
            py::arg("seconds"), py::arg("n_threads"), py::arg("seed"), py::arg("epoch"))
        // One step on plain arrays as one batch, targets within [least, most]: the outcome, the loss and the weight.
        // None if they are not plain, or there may have to be a warning or an error.
        .def(
            "plain_step",
            [](TrainerOwner<T>& of, const Network<T>& net, const py::object& x, const py::object& y,
               const py::object& weights, double least, double most, State& optimizer, double learning_rate, double l1,
               double l2, int n_threads, std::uint64_t seed, std::uint32_t epoch) -> py::object {
                const typename TrainerOwner<T>::Use use(of);
                Trainer<T>& trainer = *use;
                check_owner(trainer, net);
                PlainSamples plain;
                if (!plain.take(net, x, y, weights, least, most)) return py::none();
                const Index n = plain.samples.x.n;
                if (n == 1 && net.mixes_samples()) return py::none();
                RunOptions options = step_options(learning_rate, l1, l2, n_threads);
                options.batch_size = n;
                options.seed = seed;
                options.epoch = epoch;
                const RunResult r = without_gil([&] {
                    const RunResult result = trainer.run(plain.samples, nullptr, 0, n, optimizer, options);
                    if (result.outcome == Outcome::interrupted) throw Interrupted();  // the only step has not been made
                    return result;
                });
                return py::make_tuple(name_of(r.outcome), r.totals.loss, r.totals.weight);
            },
            py::arg("network"), py::arg("x"), py::arg("y"), py::arg("weights"), py::arg("least"), py::arg("most"),
            py::arg("optimizer"), py::arg("learning_rate"), py::arg("l1"), py::arg("l2"), py::arg("n_threads"),
            py::arg("seed"), py::arg("epoch"))
        .def(
            "gradients",
            [](TrainerOwner<T>& of, const Network<T>& net, const SamplesOwner& owner, double l1, double l2, bool sum,
               int n_threads, bool parameters, bool inputs) {
                const typename TrainerOwner<T>::Use use(of);
                Trainer<T>& trainer = *use;
                check_owner(trainer, net);
                RunOptions options;
                options.penalty = {l1, l2};
                options.sum = sum;
                options.n_threads = n_threads;
                Gradients<T> gradients;
                auto d_x = new_array<T>({inputs ? owner.samples.x.n : 0, net.n_in()});
                T* const to_x = inputs ? d_x.mutable_data() : nullptr;
                const Totals totals = without_gil(
                    [&] { return trainer.gradients(owner.samples, options, parameters ? &gradients : nullptr, to_x); });
                return py::make_tuple(totals.loss, totals.weight,
                                      gradient_result(net, gradients, d_x, parameters, inputs));
            },
            py::arg("network"), py::arg("samples"), py::arg("l1"), py::arg("l2"), py::arg("sum"), py::arg("n_threads"),
            py::arg("parameters") = true, py::arg("inputs") = false);
}

}  // namespace

void bind_trainers(py::module_& m) {
    bind_progress(m);
    bind_trainer<float>(m, "F32");
    bind_trainer<double>(m, "F64");
}

}  // namespace foxnn
