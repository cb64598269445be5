// What is done with finished gradients: an update of the parameters, while the gradients are still in the cache; or
// they are kept in memory.
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

// The gradients of one batch, in the layout of the parameters; zeros for parameters that are not trained.
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

// The panels of all parameters that are trained, for workers to share.
template <class T>
struct ParameterPanels {
    struct Panel {  // rows * columns numbers of a parameter, from `offset` on
        Parameter<T>* parameter;
        Index offset, rows, columns;
        Index squares;  // where its columns begin in `squares`
    };
    std::vector<Panel> all;
    // The sum of the squares of each column of each parameter. To add up squares column by column gives the same bits
    // with every instruction set: the width of panels differs, but not the order of columns and of the rows in them.
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
    // Calls function(panel) for this worker's share of them.
    template <class Function>
    void share(const Worker& worker, const Function& function) const {
        const auto n = static_cast<Index>(all.size());
        for (Index i = worker.begin(n); i < worker.end(n); i++) function(all[static_cast<std::size_t>(i)]);
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

// Takes gradients from the passes, some numbers at a time, as soon as they are finished.
template <class T>
class GradientSink {
  public:
    // With an optimizer only, each gradient is used for an update at once. With both, all are kept until the optimizer
    // makes its step. With `gradients` only, they are kept, and include those of the penalty. With neither, no
    // gradients of parameters are wanted.
    GradientSink(OptimizerState<T>* optimizer, Gradients<T>* gradients, const Penalty& penalty)
        : optimizer_(optimizer), gradients_(gradients), penalty_(penalty) {}

    OptimizerState<T>* optimizer() const { return optimizer_; }
    bool is_wanted() const { return optimizer_ || gradients_; }
    // Whether the optimizer waits until all gradients are there: where the norm of all is clipped, and in long steps.
    bool waits() const { return optimizer_ && gradients_; }
    bool clips_norm() const { return optimizer_ && optimizer_->clip_norm != 0; }
    void keep_in(Gradients<T>& gradients, const Network<T>& network) {
        if (panels_.all.empty()) panels_ = ParameterPanels<T>(network);
        gradients_ = &gradients;
    }
    void keep_nowhere() { gradients_ = nullptr; }

    // Where the gradient of a parameter has to be computed; null: anywhere, as it is only needed until it is taken.
    T* kept(const Parameter<T>& parameter) const { return gradients_ ? gradients_->of(parameter) : nullptr; }
    // Takes the finished gradient of the numbers [offset, offset + n) of a parameter. False if an update would have
    // made one of these numbers infinite or NaN: it has kept its value.
    bool take(Parameter<T>& parameter, Index offset, Index n, T* gradient) {
        if (!gradients_) return optimizer_->update(parameter, offset, n, gradient, step_of(parameter));
        const bool added_later = waits() && !clips_norm();
        if (parameter.penalised && !added_later && !penalty_.is_none())
            kernels<T>().penalise(gradient, parameter.data() + offset, n, static_cast<T>(penalty_.l1),
                                  static_cast<T>(penalty_.l2));
        return true;
    }
    // As Worker::worked(), which may throw; but not while parameters are being updated, as that has to be completed.
    void worked(const Worker& worker, Index units) const {
        if (!optimizer_ || gradients_) worker.worked(units);
    }

    // ---- the optimizer's step ----
    // Called by one worker: counts the step and computes its coefficients.
    void begin_step(double learning_rate) {
        optimizer_->t += 1;
        step_ = penalised_step_ = optimizer_->step(learning_rate);
        penalised_step_.l1 = static_cast<T>(penalty_.l1), penalised_step_.l2 = static_cast<T>(penalty_.l2);
    }
    // Called by all workers after begin_step(): updates the parameters with the kept gradients. Returns what take()
    // does.
    bool use_kept(const Worker& worker);

  private:
    const Step<T>& step_of(const Parameter<T>& parameter) const {
        return parameter.penalised ? penalised_step_ : step_;
    }

    OptimizerState<T>* const optimizer_;
    Gradients<T>* gradients_;
    const Penalty penalty_;
    Step<T> penalised_step_{}, step_{};
    ParameterPanels<T> panels_;  // if gradients are kept for the optimizer
};

}  // namespace foxnn
