// A dense layer: y = f(x W + b), or f(norm(x W + b)), x (n, n_in), W (n_in, n_out), b (n_out,); and the panels that W
// is stored in.
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include "core/norm.hpp"
#include "core/parameters.hpp"
#include "kernels/dispatch.hpp"

namespace foxnn {

// The column blocks of a matrix: panels of two vectors, the last one perhaps of one.
template <class T>
struct Panels {
    Index rows = 0, columns = 0, count = 0, width = 0, last_vectors = 0;

    Panels() = default;
    Panels(Index rows, Index columns) : rows(rows), columns(columns) {
        const Index lanes = kernels<T>().lanes;
        width = 2 * lanes;
        count = (columns + width - 1) / width;
        last_vectors = columns - (count - 1) * width > lanes ? 2 : 1;
    }
    Index vectors(Index panel) const { return panel + 1 < count ? 2 : last_vectors; }
    Index width_of(Index panel) const { return vectors(panel) * width / 2; }
    Index total_vectors() const { return 2 * (count - 1) + last_vectors; }
    Index padded_columns() const { return total_vectors() * width / 2; }
    Index first_column(Index panel) const { return panel * width; }
    Index offset(Index panel) const { return panel * width * rows; }
    Index size() const { return padded_columns() * rows; }
    Index at(Index row, Index column) const {
        const Index panel = column / width;
        return offset(panel) + row * width_of(panel) + column % width;
    }
};

template <class T>
const Activation<T>* find_activation(const std::string& name) {
    const Kernels<T>& k = kernels<T>();
    for (Index i = 0; i < k.n_activations; i++)
        if (name == k.activations[i].name) return &k.activations[i];
    throw std::invalid_argument("unknown activation '" + name + "'");
}

// The most inputs or outputs of a layer, and rows of a batch: products of two of them can be counted.
constexpr Index kMost = (Index(1) << 31) - 1;

inline Index checked_units(Index n) {
    if (n < 1 || n > kMost)
        throw std::invalid_argument("units: got " + std::to_string(n) + "; a layer takes from 1 to " +
                                    std::to_string(kMost));
    return n;
}

template <class T>
struct Dense {
    Index n_in = 0, n_out = 0;
    const Activation<T>* activation = nullptr;
    std::vector<T> parameters;  // of the activation; kMaxParameters of them, as the kernels expect
    T dropout = 0;              // the share of this layer's outputs that training drops
    bool trainable = true;      // whether training changes this layer
    T max_norm = 0;             // the most that the norm of a unit's weights may be after a training step; 0: anything
    Panels<T> panels;
    Buffer<T> weights, bias;  // W in panels; b padded as a panel's row
    Norm<T> norm;

    Dense(Index n_in, Index n_out, const std::string& activation, const std::vector<double>& parameters)
        : n_in(checked_units(n_in)),
          n_out(checked_units(n_out)),
          panels(n_in, n_out),
          weights(panels.size()),
          bias(panels.padded_columns()) {
        set_activation(activation, parameters);
    }
    void set_activation(const std::string& name, const std::vector<double>& values) {
        const auto* found = find_activation<T>(name);
        std::vector<T> converted(kMaxParameters);
        for (Index i = 0; i < found->n_parameters; i++)
            converted[i] =
                static_cast<T>(i < static_cast<Index>(values.size()) ? values[i] : found->parameters[i].value);
        activation = found;
        parameters = std::move(converted);
    }
    Dense copy(Watch* watch = nullptr) const {
        Dense other;
        other.n_in = n_in, other.n_out = n_out;
        other.activation = activation;
        other.parameters = parameters;
        other.dropout = dropout;
        other.trainable = trainable;
        other.max_norm = max_norm;
        other.panels = panels;
        other.weights = weights.copy(watch);
        other.bias = bias.copy();
        other.norm = norm.copy();
        return other;
    }
    // The same layer for so many inputs, its weights zero.
    Dense with_inputs(Index inputs) const {
        Dense other = copy();
        other.n_in = checked_units(inputs);
        other.panels = Panels<T>(inputs, n_out);
        other.weights = Buffer<T>(other.panels.size());
        return other;
    }
    void set_norm(NormKind kind, double momentum, double epsilon) {
        norm = Norm<T>(kind, momentum, epsilon, n_out, panels.padded_columns());
    }
    // A layer without batch normalisation that does the same, with the running moments.
    Dense folded() const {
        Dense other = copy();
        if (norm.kind != NormKind::batch) return other;
        other.norm = Norm<T>();
        for (Index j = 0; j < n_out; j++) {
            const double factor =
                norm.gamma[j] / std::sqrt(static_cast<double>(norm.running_variance[j]) + norm.epsilon);
            other.bias[j] = static_cast<T>((bias[j] - norm.running_mean[j]) * factor + norm.beta[j]);
            for (Index i = 0, at; i < n_in; i++)
                at = panels.at(i, j), other.weights[at] = static_cast<T>(weights[at] * factor);
        }
        return other;
    }
    Buffer<T>& operator[](Part part) {
        Buffer<T>* const arrays[] = {&weights, &bias, &norm.gamma, &norm.beta};
        return *arrays[static_cast<int>(part)];
    }
    const Buffer<T>& operator[](Part part) const { return const_cast<Dense&>(*this)[part]; }
    // Whether training changes that array. Under batch normalisation a bias has no effect, and no gradient.
    bool learns(Part part) const { return trainable && !(part == Part::bias && norm.kind == NormKind::batch); }
    // Row-major (n_in, n_out), in any number type. With a watch it may be interrupted, which throws.
    template <class U>
    void get(const Buffer<T>& panelled, U* out, Watch* watch = nullptr) const {
        for (Index p = 0; p < panels.count; p++)
            for (Index i = 0; i < n_in; i++) {
                for (Index j = panels.first_column(p); j < std::min(n_out, panels.first_column(p + 1)); j++)
                    out[i * n_out + j] = static_cast<U>(panelled[panels.at(i, j)]);
                if (watch) watch->worked(panels.width);
            }
    }
    template <class U>
    void set(Buffer<T>& panelled, const U* in) const {
        for (Index p = 0; p < panels.count; p++)
            for (Index i = 0; i < n_in; i++)
                for (Index j = panels.first_column(p); j < std::min(n_out, panels.first_column(p + 1)); j++)
                    panelled[panels.at(i, j)] = static_cast<T>(in[i * n_out + j]);
    }

  private:
    Dense() = default;  // of a copy, whose arrays are made once
};

// Numbers between the starts of rows of `columns`: padded to whole vectors, and an odd number of cache lines, so that
// a column's numbers do not all fall into the same few sets of the cache.
template <class T>
Index padded_stride(Index columns) {
    const Index lanes = kernels<T>().lanes, line = 64 / sizeof(T);
    const Index stride = (columns + 2 * lanes - 1) / lanes * lanes;  // a whole panel may be stored at the last column
    const Index lines = (stride + line - 1) / line;
    return (lines % 2 ? lines : lines + 1) * line;
}

}  // namespace foxnn
