// A layer of a network as Python holds it.
#pragma once
#include <algorithm>
#include <memory>

#include "bindings/arrays.hpp"
#include "bindings/gil.hpp"
#include "bindings/locks.hpp"
#include "bindings/without_gil.hpp"

namespace foxnn {

// Settings as Python gives them: names, each with a name and numbers.
using GivenSetting = std::pair<std::string, std::vector<double>>;
using GivenSettings = std::map<std::string, GivenSetting>;

inline LayerSettings settings_of(const GivenSettings& given) {
    LayerSettings settings;
    for (const auto& [setting, value] : given) settings[setting] = {value.first, value.second};
    return settings;
}

// Python keeps the network alive, and this the layer: one that is no longer in its network can be looked at, but not
// changed, which would change nothing.
template <class T>
class LayerHandle {
  public:
    LayerHandle(Network<T>& network, std::shared_ptr<Layer<T>> layer) : network_(network), layer_(std::move(layer)) {}
    const Layer<T>& layer() const { return *layer_; }

    bool trainable() const {
        const auto lock = to_read(network_);
        return layer_->trainable;
    }
    void set_trainable(bool trainable) const {
        const auto lock = to_change(network_);
        check();
        layer_->trainable = trainable;
    }
    void set(const std::string& setting, const LayerSetting& value) const {
        const auto lock = to_change(network_);
        check();
        layer_->set(setting, value);
        network_.changes++;
    }
    // Draws its parameters anew; what is random depends on the seed and the number of a stream.
    void initialize(const std::string& init, std::uint64_t seed, std::uint32_t stream, int n_threads) const {
        without_gil([&] {
            std::vector<Buffer<T>> fresh = layer_->initial(init, seed, stream, n_threads);
            const std::unique_lock lock(network_.mutex);
            check();
            network_.changes++;
            for (std::size_t i = 0; i < fresh.size(); i++) layer_->parameters()[i]->values = std::move(fresh[i]);
        });
    }

  private:
    void check() const {
        const auto& layers = network_.layers;
        if (std::find(layers.begin(), layers.end(), layer_) == layers.end())
            throw std::invalid_argument("layer: it is no longer in its network");
    }

    Network<T>& network_;
    const std::shared_ptr<Layer<T>> layer_;
};

// Arrays of a layer by name, in their order: their shapes.
template <class T>
py::dict shapes_of(const std::vector<Parameter<T>*>& arrays) {
    py::dict shapes;
    for (const Parameter<T>* array : arrays) shapes[array->name] = py::tuple(py::cast(array->shape));
    return shapes;
}

template <class T>
void bind_layer(py::module_& m, const char* name) {
    using Handle = LayerHandle<T>;
    py::class_<Handle>(m, name, "A layer of a network.")
        .def_property_readonly("kind", [](const Handle& of) { return of.layer().kind(); })
        .def_property_readonly("input_shape",
                               [](const Handle& of) { return py::tuple(py::cast(of.layer().input_shape().sizes())); })
        .def_property_readonly("output_shape",
                               [](const Handle& of) { return py::tuple(py::cast(of.layer().output_shape().sizes())); })
        .def_property_readonly("parameters", [](const Handle& of) { return shapes_of(of.layer().parameters()); })
        .def_property_readonly("statistics", [](const Handle& of) { return shapes_of(of.layer().statistics()); })
        .def_property_readonly("penalised",
                               [](const Handle& of) {
                                   py::list names;
                                   for (const Parameter<T>* parameter : of.layer().parameters())
                                       if (parameter->penalised) names.append(parameter->name);
                                   return names;
                               })
        .def_property("trainable", &Handle::trainable, &Handle::set_trainable)
        .def("set", [](const Handle& of, const std::string& setting,
                       const GivenSetting& value) { of.set(setting, {value.first, value.second}); })
        .def("initialize", &Handle::initialize, py::arg("init"), py::arg("seed"), py::arg("stream"),
             py::arg("n_threads"));
}

}  // namespace foxnn
