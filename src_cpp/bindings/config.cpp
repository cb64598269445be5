// What this build offers: lists of names with their parameters, the instruction set, threads; random numbers.
#include "bindings/arrays.hpp"
#include "bindings/without_gil.hpp"
#include "core/helpers.hpp"
#include "core/initializers.hpp"
#include "core/layers/kinds.hpp"
#include "core/random.hpp"
#include "core/threads.hpp"
#include "core/trainer.hpp"

namespace foxnn {
namespace {

py::list parameters_of(const Setting* settings, Index n) {
    py::list list;
    for (Index i = 0; i < n; i++)
        list.append(
            py::make_tuple(settings[i].name, settings[i].value, settings[i].least, settings[i].most, settings[i].open));
    return list;
}

// Called while the caller holds locks, but not the GIL, so it cannot warn or raise: it has Python's main thread give
// the warning as soon as possible.
void warn_of_shortage(int made, int wanted) {
    static int numbers[2];
    numbers[0] = made, numbers[1] = wanted;
    Py_AddPendingCall(
        [](void*) {
            try {
                const py::str text =
                    py::str(
                        "foxnn could start only {} of {} further threads, and goes on with fewer: a limit on "
                        "threads (ulimit -u, a container's pids limit) or on memory is reached. Results are the "
                        "same. n_threads=1, or foxnn.set_num_threads(1), asks for none.")
                        .format(numbers[0], numbers[1]);
                py::module_::import("foxnn._warnings").attr("warn_user")(text, py::handle(PyExc_RuntimeWarning));
                return 0;
            } catch (py::error_already_set& error) {  // where warnings are errors
                error.restore();
                return -1;
            }
        },
        nullptr);
}

}  // namespace

void bind_config(py::module_& m) {
    set_shortage_handler(&warn_of_shortage);
    const Kernels<float>& k = kernels<float>();  // here an unknown FOXNN_ISA is found out
    py::dict activations, losses, optimizers;
    for (Index i = 0; i < k.n_activations; i++) {
        const auto& a = k.activations[i];
        activations[a.name] = py::dict(py::arg("parameters") = parameters_of(a.parameters, a.n_parameters),
                                       py::arg("init") = default_initializer(a.init), py::arg("rowwise") = a.rowwise,
                                       py::arg("flat") = a.flat);
    }
    for (Index i = 0; i < k.n_losses; i++) {
        const auto& l = k.losses[i];
        losses[l.name] = py::dict(py::arg("parameters") = parameters_of(l.parameters, l.n_parameters),
                                  py::arg("classification") = l.classes != Classes::none);
    }
    for (Index i = 0; i < k.n_optimizers; i++) {
        const auto& o = k.optimizers[i];
        optimizers[o.name] = py::dict(py::arg("parameters") = parameters_of(o.hyper, o.n_hyper),
                                      py::arg("learning_rate") = o.learning_rate, py::arg("n_state") = o.n_state,
                                      py::arg("n_squares") = o.n_squares);
    }
    m.attr("ACTIVATIONS") = activations;
    m.attr("LOSSES") = losses;
    m.attr("OPTIMIZERS") = optimizers;
    m.attr("INITIALIZERS") = initializer_names();
    m.attr("LAYERS") = layer_kinds();
    m.attr("SAMPLE_WEIGHTS") = py::make_tuple(kLeastWeight, kMostWeight);

    // The least and the largest value of an activation with these parameters.
    m.def("activation_bounds", [](const std::string& name, std::vector<double> parameters) {
        const Kernels<float>& k = kernels<float>();
        parameters.resize(kMaxParameters);
        for (Index i = 0; i < k.n_activations; i++)
            if (name == k.activations[i].name) {
                const Bounds bounds = k.activations[i].bounds(parameters.data());
                return std::make_pair(bounds.least, bounds.most);
            }
        throw py::value_error("unknown activation '" + name + "'");
    });
    m.def("config", [] {
        py::list available;
        for (const auto& set : available_instruction_sets()) available.append(set.name);
        return py::dict(py::arg("version") = FOXNN_VERSION, py::arg("instruction_set") = instruction_set().name,
                        py::arg("reason") = instruction_set_reason(), py::arg("available") = available,
                        py::arg("lanes") = kernels<float>().lanes, py::arg("threads") = num_threads(),
                        py::arg("available_threads") = available_threads(), py::arg("runtime") = thread_runtime(),
#if defined(__clang__)
                        py::arg("compiler") = "Clang " __clang_version__
#else
                        py::arg("compiler") = "GCC " __VERSION__
#endif
        );
    });
    m.def("set_num_threads", &set_num_threads);
    m.def("wanted_threads", &wanted_threads);
    m.def("num_threads", &num_threads);
    m.def("shuffled_order", [](std::uint64_t seed, std::uint32_t epoch, Index n) {
        py::array_t<std::int64_t> order(n);
        std::int64_t* const data = order.mutable_data();
        without_gil([&] { shuffled_order(seed, epoch, n, data); });
        return order;
    });
    m.def("uniform", [](std::uint64_t seed, std::uint32_t index, Index n) {
        py::array_t<double> out(n);
        Stream random(seed, Purpose::mutation, index);
        for (Index i = 0; i < n; i++) out.mutable_data()[i] = random.uniform(-1, 1);
        return out;
    });
    m.def("all_finite", [](const py::array& a) {
        if (a.dtype().kind() != 'f' || (a.itemsize() != 4 && a.itemsize() != 8))
            throw py::type_error("all_finite: float32 or float64");
        const Rows rows = rows_of(a, 1, 0);
        const auto finite = [&](const void* data, Index n) {
            return rows.type == Source::f32 ? kernels<float>().all_finite(static_cast<const float*>(data), n)
                                            : kernels<double>().all_finite(static_cast<const double*>(data), n);
        };
        return without_gil([&] {
            const Index together =
                rows.stride == rows.columns ? 1 + (Index(1) << 16) / std::max<Index>(rows.columns, 1) : 1;
            Watch watch;
            for (Index i = 0, n; i < rows.n; i += n) {
                n = std::min(together, rows.n - i);
                if (!finite(rows.row(i), n * rows.columns)) return false;
                watch.worked(n * rows.columns / 16);
            }
            return true;
        });
    });
}

}  // namespace foxnn
