// Copies of a network's arrays, and of what an optimizer remembers of them: all of one moment, made without the GIL.
#pragma once
#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/without_gil.hpp"
#include "core/optimizer_state.hpp"

namespace foxnn {

// Numbers that lie as a parameter does, its own or an optimizer's memory of them.
template <class T>
struct Place {
    const Parameter<T>& parameter;
    Buffer<T>& numbers;

    // A parameter by its layer's number and its name; with `memory`, what an optimizer remembers of it. Sizes can be
    // read without the lock: a network that other threads can see never gets other layers, as whoever changes the
    // layers makes a copy that has them.
    static Place find(Network<T>& net, std::size_t l, const std::string& name, std::vector<Buffer<T>>* memory) {
        Parameter<T>* const parameter = net.layers.at(l)->find(name);
        if (!parameter) throw py::value_error(name + ": this layer has none");
        if (!memory) return {*parameter, parameter->values};
        const auto& learnt = net.layers.at(l)->parameters();
        if (std::find(learnt.begin(), learnt.end(), parameter) == learnt.end())
            throw py::index_error(name + ": not learnt");
        return {*parameter, memory->at(static_cast<std::size_t>(parameter->number))};
    }
    void read(T* to, Watch& watch) const { parameter.panels.read(numbers.data(), to, &watch); }
    void write(const T* from) const { parameter.panels.write(numbers.data(), from); }
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
        places.push_back(Place<T>::find(net, l, name, memory < 0 ? nullptr : &optimizer->memory[memory]));
        auto copy = new_array<T>(places.back().parameter.shape);
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
        if (std::vector<Index>(values.shape(), values.shape() + values.ndim()) != places.back().parameter.shape)
            throw py::value_error(name + ": wrong shape");
    }
    const ReleasedGil released;
    const std::unique_lock lock(net.mutex);
    net.changes++;
    for (std::size_t i = 0; i < places.size(); i++) places[i].write(std::get<2>(given[i]).data());
}

}  // namespace foxnn
