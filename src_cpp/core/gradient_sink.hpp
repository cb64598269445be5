// What becomes of gradients: an optimizer's step while they are in the cache, or a place where they are kept.
#pragma once
#include <utility>
#include <vector>

#include "core/optimizer_state.hpp"

namespace foxnn {

// What is added to the loss for every weight w: l1 |w| + l2 w^2 / 2. Biases are not penalised.
struct Penalty {
    double l1 = 0, l2 = 0;

    bool is_none() const { return l1 == 0 && l2 == 0; }
};

// Gradients of one batch, as the parameters lie in memory; zero where nothing is learnt.
template <class T>
struct Gradients {
    std::vector<Buffer<T>> arrays;  // by the parameters' numbers
    std::uint64_t layout = 0;       // of the network

    Gradients() = default;
    explicit Gradients(const Network<T>& network) : layout(network.layout) {
        arrays.reserve(network.parameters().size());
        for (const Parameter<T>* parameter : network.parameters()) arrays.emplace_back(parameter->values.size());
    }
    T* of(const Parameter<T>& parameter) { return arrays[static_cast<std::size_t>(parameter.number)].data(); }
};

// All that a step changes, cut into pieces for workers to share.
template <class T>
struct ParameterPanels {
    struct Piece {  // rows * columns numbers of a parameter, from `offset` on: one panel of it
        Parameter<T>* parameter;
        Index offset, rows, columns;
        Index squares;  // where those of its columns are
    };
    std::vector<Piece> all;
    // The sum of the squares of each column of each parameter. How wide panels are depends on the instruction set, but
    // the order of columns does not, nor does that of the rows in each: so this is the order to sum up all squares in.
    std::vector<double> squares;

    ParameterPanels() = default;
    explicit ParameterPanels(const Network<T>& network) {
        for (const auto& layer : network.layers)
            for (Parameter<T>* parameter : layer->parameters())
                if (layer->learns(*parameter)) add(*parameter);
    }
    double total() const {
        double sum = 0;
        for (const double s : squares) sum += s;
        return sum;
    }
    // Calls part(piece) for this worker's share of them.
    template <class Part>
    void share(const Worker& worker, const Part& part) const {
        const auto n = static_cast<Index>(all.size());
        for (Index i = worker.begin(n); i < worker.end(n); i++) part(all[static_cast<std::size_t>(i)]);
    }

  private:
    void add(Parameter<T>& parameter) {
        const Panels<T>& panels = parameter.panels;
        for (Index p = 0; p < panels.count; p++) {
            all.push_back(
                {&parameter, panels.offset(p), panels.rows, panels.width_of(p), static_cast<Index>(squares.size())});
            squares.resize(squares.size() + static_cast<std::size_t>(panels.width_of(p)));
        }
    }
};

// Takes each piece of a gradient as soon as it is finished.
template <class T>
class GradientSink {
  public:
    // Neither optimizer nor gradients: nobody wants them. With an optimizer alone its step is made at once; with both
    // they are kept until it makes its step; without an optimizer they are kept, with the penalty's part in them.
    GradientSink(OptimizerState<T>* optimizer, Gradients<T>* gradients, const Penalty& penalty)
        : optimizer_(optimizer), gradients_(gradients), penalty_(penalty) {}

    OptimizerState<T>* optimizer() const { return optimizer_; }
    bool is_wanted() const { return optimizer_ || gradients_; }
    // Whether the optimizer waits until all gradients are there: where the norm of all is clipped, and in long steps.
    bool waits() const { return optimizer_ && gradients_; }
    bool clips_norm() const { return optimizer_ && optimizer_->clip_norm != 0; }
    void keep_in(Gradients<T>& gradients, const Network<T>& network) {
        if (pieces_.all.empty()) pieces_ = ParameterPanels<T>(network);
        gradients_ = &gradients;
    }
    void keep_nowhere() { gradients_ = nullptr; }

    // Where the gradient of a parameter is to be left; null: wherever it is convenient, until it is taken.
    T* kept(const Parameter<T>& parameter) const { return gradients_ ? gradients_->of(parameter) : nullptr; }
    // The gradient of the numbers [offset, offset + n) of a parameter is there. False if a number of the parameter has
    // kept its value because the new one would not be finite.
    bool take(Parameter<T>& parameter, Index offset, Index n, T* gradient) {
        if (!gradients_) return optimizer_->update(parameter, offset, n, gradient, step_of(parameter));
        const bool added_later = waits() && !clips_norm();
        if (parameter.penalised && !added_later && !penalty_.is_none())
            kernels<T>().penalise(gradient, parameter.data() + offset, n, static_cast<T>(penalty_.l1),
                                  static_cast<T>(penalty_.l2));
        return true;
    }
    // As Worker::worked(), unless the optimizer's step has begun, which is then finished.
    void worked(const Worker& worker, Index units) const {
        if (!optimizer_ || gradients_) worker.worked(units);
    }

    // ---- the optimizer's step ----
    // One thread counts it and works out its coefficients.
    void begin_step(double learning_rate) {
        optimizer_->t += 1;
        step_ = penalised_step_ = optimizer_->step(learning_rate);
        penalised_step_.l1 = static_cast<T>(penalty_.l1), penalised_step_.l2 = static_cast<T>(penalty_.l2);
    }
    // All workers, with kept gradients, when the step has begun. False as take() says it.
    bool use_kept(const Worker& worker);

  private:
    const Step<T>& step_of(const Parameter<T>& parameter) const {
        return parameter.penalised ? penalised_step_ : step_;
    }

    OptimizerState<T>* const optimizer_;
    Gradients<T>* gradients_;
    const Penalty penalty_;
    Step<T> penalised_step_{}, step_{};
    ParameterPanels<T> pieces_;  // if the optimizer waits
};

}  // namespace foxnn
