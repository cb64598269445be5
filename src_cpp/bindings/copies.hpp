// Copies of a network's arrays, and of what an optimizer remembers of them: all of one moment, made without the GIL.
#pragma once
#include <mutex>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/without_gil.hpp"
#include "core/optimizer_state.hpp"

namespace foxnn {

// An array of a layer (by its number and name), as Python has it: (n_in, n_out) or (n_out,).
template <class T>
struct Place {
    Dense<T>& layer;
    Buffer<T>& array;
    bool is_matrix;

    // With `memory`, what an optimizer remembers of it. That sizes are known without the lock is since layers are never
    // put into a network, or taken out, that others know already: they get a copy with other layers.
    static Place find(Network<T>& net, std::size_t l, const std::string& name, Parameters<T>* memory) {
        Dense<T>& layer = net.layers.at(l);
        Buffer<T>& array = find(layer, name, memory);
        if (array.size() == 0) throw py::value_error(name + ": this layer has none");
        return {layer, array, name == "weights"};
    }
    std::vector<Index> shape() const {
        return is_matrix ? std::vector<Index>{layer.n_in, layer.n_out} : std::vector<Index>{layer.n_out};
    }
    void read(T* to, Watch& watch) const {
        if (is_matrix)
            layer.get(array, to, &watch);
        else
            std::copy_n(array.data(), layer.n_out, to);
    }
    void write(const T* from) const {
        if (is_matrix)
            layer.set(array, from);
        else
            std::copy_n(from, layer.n_out, array.data());
    }

  private:
    static Buffer<T>& find(Dense<T>& layer, const std::string& name, Parameters<T>* memory) {
        static const char* const names[] = {"weights", "bias", "gamma", "beta"};
        for (const Part part : kParts)
            if (name == names[static_cast<int>(part)]) return memory ? (*memory)[part] : layer[part];
        if (memory) throw py::index_error(name + ": not learnt");
        return layer.norm.array(name);
    }
};

// Of places (layer, name, memory) copies of the layers' arrays, or, where memory is not negative, of the optimizer's
// memory number that; and the steps that the optimizer has made.
template <class T>
py::tuple read_arrays(Network<T>& net, const std::vector<std::tuple<std::size_t, std::string, Index>>& wanted,
                      OptimizerState<T>* optimizer) {
    std::vector<Place<T>> places;
    std::vector<T*> to;
    py::list copies;
    if (optimizer) optimizer->check(net);
    for (const auto& [l, name, memory] : wanted) {
        if (memory >= (optimizer ? optimizer->kernel->n_state : 0))
            throw py::index_error("the optimizer does not remember as much");
        places.push_back(Place<T>::find(net, l, name, memory < 0 ? nullptr : &optimizer->layers.at(l).memory[memory]));
        auto copy = new_array<T>(places.back().shape());
        to.push_back(copy.mutable_data());
        copies.append(std::move(copy));
    }
    double steps = 0;
    without_gil([&] {
        const std::shared_lock lock(net.mutex);
        Watch watch;
        for (std::size_t i = 0; i < places.size(); i++) places[i].read(to[i], watch);
        if (optimizer) steps = optimizer->t;
    });
    return py::make_tuple(copies, steps);
}

template <class T>
void write_arrays(Network<T>& net, const std::vector<std::tuple<std::size_t, std::string, Array<T>>>& given) {
    std::vector<Place<T>> places;
    for (const auto& [l, name, values] : given) {
        places.push_back(Place<T>::find(net, l, name, nullptr));
        if (std::vector<Index>(values.shape(), values.shape() + values.ndim()) != places.back().shape())
            throw py::value_error(name + ": wrong shape");
    }
    const ReleasedGil released;
    const std::unique_lock lock(net.mutex);
    net.changes++;
    for (std::size_t i = 0; i < places.size(); i++) places[i].write(std::get<2>(given[i]).data());
}

}  // namespace foxnn
