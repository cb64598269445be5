// An array of numbers that a layer learns, or keeps for prediction: by name, which is how files and users know it.
#pragma once
#include <vector>

#include "core/panels.hpp"

namespace foxnn {

template <class T>
struct Parameter {
    const char* name = "";     // a string literal
    std::vector<Index> shape;  // as users see it: (rows, columns) or (columns,)
    Panels<T> panels;          // how its numbers lie in memory; its gradient and what an optimizer remembers likewise
    Buffer<T> values;          // empty: the layer does not have it
    bool penalised = false;    // by the l1 and l2 that training is given
    bool has_effect = true;    // if not, it has no gradient, and training leaves it as it is
    T max_norm = 0;            // the most that the norm of a column may be after a training step; 0: anything
    Index number = 0;          // its place among all parameters of the network, in gradients and in optimizers' memory

    Parameter() = default;
    Parameter(const char* name, Index rows, Index columns)
        : name(name), shape{rows, columns}, panels(rows, columns), values(panels.size()) {}
    Parameter(const char* name, Index columns)
        : name(name), shape{columns}, panels(1, columns), values(panels.size()) {}
    explicit operator bool() const { return values.size() > 0; }
    T* data() { return values.data(); }
    const T* data() const { return values.data(); }
    Parameter copy(Watch* watch = nullptr) const {
        Parameter other;
        other.name = name, other.shape = shape, other.panels = panels, other.values = values.copy(watch);
        other.penalised = penalised, other.has_effect = has_effect, other.max_norm = max_norm, other.number = number;
        return other;
    }
    void fill(T value) {
        for (Index j = 0; j < panels.columns; j++)
            for (Index i = 0; i < panels.rows; i++) values[panels.at(i, j)] = value;
    }
};

}  // namespace foxnn
