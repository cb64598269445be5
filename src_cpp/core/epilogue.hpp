// What a layer does to its products x W + b: normalisation, activation, dropout. It is done to each tile right after it
// was computed, while it is in the cache, as far as that is possible.
#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/layer.hpp"
#include "core/norm.hpp"

namespace foxnn {

template <class T>
const Activation<T>* find_activation(const std::string& name) {
    const Kernels<T>& k = kernels<T>();
    for (Index i = 0; i < k.n_activations; i++)
        if (name == k.activations[i].name) return &k.activations[i];
    throw std::invalid_argument("unknown activation '" + name + "'");
}

// y = dropout(f(norm(z))), z being the products with the bias.
template <class T>
struct Epilogue {
    Panels<T> columns;  // of a row of outputs
    const Activation<T>* activation = nullptr;
    std::vector<T> activation_parameters;  // kMaxParameters of them, as the kernels expect
    T dropout = 0;                         // the share of the outputs that training drops
    std::unique_ptr<Norm<T>> norm;         // null: there is none

    explicit Epilogue(Index n_out) : columns(1, n_out) {}
    Index n_out() const { return columns.columns; }
    bool has(NormKind kind) const { return norm && norm->kind == kind; }
    void set_activation(const std::string& name, const std::vector<double>& values) {
        const auto* found = find_activation<T>(name);
        std::vector<T> converted(kMaxParameters);
        for (Index i = 0; i < found->n_parameters; i++)
            converted[i] =
                static_cast<T>(i < static_cast<Index>(values.size()) ? values[i] : found->parameters[i].value);
        activation = found;
        activation_parameters = std::move(converted);
    }
    Epilogue copy() const {
        Epilogue other(n_out());
        other.activation = activation, other.activation_parameters = activation_parameters;
        other.dropout = dropout;
        if (norm) other.norm = norm->copy();
        return other;
    }
    // Applies f in place; `derivative` as in Activation::forward.
    void activate(T* y, T* derivative, Index rows, Index width, Index ld) const {
        activation->forward(y, derivative, rows, width, ld, activation_parameters.data());
    }
    // Whether f can be applied to tiles: it needs no whole rows, and no normalisation comes before it.
    bool finishes_tiles(bool logits) const { return !logits && !norm && !activation->rowwise; }
    // For prediction: does to whole rows what could not be done to their tiles.
    void finish_rows(T* y, Index rows, Index ld, bool logits) const {
        if (norm) {
            normalise_rows(y, rows, ld);
            if (!logits) activate(y, nullptr, rows, columns.padded_columns(), ld);
        }
        if (!logits && activation->rowwise) activate(y, nullptr, rows, n_out(), ld);
    }
    // Layer normalisation of rows as they are.
    void normalise_rows(T* y, Index rows, Index ld) const {
        kernels<T>().normalise_rows(y, y, rows, n_out(), ld, static_cast<T>(norm->epsilon), norm->gamma.data(),
                                    norm->beta.data(), nullptr);
    }
};

// The epilogue as a pass uses it in training, on the pass's y and d.
template <class T>
class EpiloguePass {
  public:
    EpiloguePass(Layer<T>& layer, Epilogue<T>& epilogue, Pass<T>& pass, const PassOptions& options);
    bool fits() const { return keeps_derivative() == (derivative_.size() > 0); }

    // ---- forward ----
    // Where the layer has to write its products: y, or the memory from which they are normalised.
    T* products() { return epilogue_.norm ? normal_.data() : pass_.y(); }
    // Called by one worker when the products of the rows [row, row + n) of a panel are there.
    void finish_tile(Index panel, Index row, Index n, const BatchInfo& batch) {
        if (epilogue_.finishes_tiles(logits_)) activate(panel, row, n, batch);
    }
    // Called by one worker when all tiles of the rows [begin, end) are finished, if there is no normalisation.
    void finish_rows(Index begin, Index end);
    // Called by all workers when they have finished their tiles: does what is left to do.
    void finish(const BatchInfo& batch, const Worker& worker) {
        if (epilogue_.norm) normalise(batch, worker);
    }

    // ---- backward ----
    void times_derivative(T* d, Index row, Index column, Index rows, Index columns) const {
        const Index at = row * pass_.ld() + column;
        if (epilogue_.activation->rowwise) columns = std::min(columns, epilogue_.n_out() - column);
        if (derivative_.size())
            kernels<T>().multiply(d, derivative_.data() + at, rows, columns, pass_.ld());
        else
            epilogue_.activation->backward(d, pass_.y() + at, rows, columns, pass_.ld(),
                                           epilogue_.activation_parameters.data());
    }
    // Turns d, the gradient of the normalised products, into that of the products; computes those of gamma and beta.
    void begin_backward(const BatchInfo& batch, const GradientSink<T>& sink, const Worker& worker) {
        if (epilogue_.norm) norm_gradients(batch, sink, worker);
    }
    // Hands the gradients of gamma and beta, of the columns of one panel, to the sink; returns what its take() does.
    bool use_gradients(Index panel, GradientSink<T>& sink) {
        return !epilogue_.norm || use_norm_gradients(panel, sink);
    }
    void move_statistics(const BatchInfo& batch, const Worker& worker);

  private:
    bool keeps_derivative() const { return !epilogue_.activation->derivative_from_output || epilogue_.dropout > 0; }
    T* derivative_at(Index at) { return derivative_.size() ? derivative_.data() + at : nullptr; }
    bool uses_batch_moments(const BatchInfo& batch) const { return batch.batch_moments && layer_.trainable; }
    void normalise(const BatchInfo& batch, const Worker& worker);
    void normalise_panel(Index panel, const BatchInfo& batch);
    void norm_gradients(const BatchInfo& batch, const GradientSink<T>& sink, const Worker& worker);
    bool use_norm_gradients(Index panel, GradientSink<T>& sink);
    void activate(Index panel, Index row, Index n, const BatchInfo& batch) {
        const Index at = row * pass_.ld() + epilogue_.columns.first_column(panel);
        epilogue_.activate(pass_.y() + at, derivative_at(at), n, epilogue_.columns.width_of(panel), pass_.ld());
        if (epilogue_.dropout > 0) drop(panel, row, n, batch);
    }
    void drop(Index panel, Index row, Index n, const BatchInfo& batch);

    const Layer<T>& layer_;
    Epilogue<T>& epilogue_;
    Pass<T>& pass_;
    const std::uint32_t number_;  // of the layer: units of different layers are dropped independently
    const bool logits_;
    Buffer<T> derivative_;  // (rows, n_out): f'(z), if it cannot be computed from y
    // For a normalisation: normal (rows, n_out), the products and then the normalised ones; the batch's moments and the
    // gradients (n_out,); inverse, 1 / deviation, (n_out,) or (rows,).
    Buffer<T> normal_, mean_, variance_, inverse_, d_gamma_, d_beta_;
};

}  // namespace foxnn
