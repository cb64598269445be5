// What the workers of a training run share.
#pragma once
#include <atomic>
#include <chrono>

#include "core/trainer.hpp"

namespace foxnn {

// What the workers of a run share. Either `optimizer` or `gradients` is set, or neither:
// where the gradients go.
template <class T>
struct Trainer<T>::Job {
    const Samples& samples;
    const std::int64_t* order;
    Index end;
    const RunOptions& options;
    OptimizerState<T>* optimizer;
    Gradients<T>* gradients;
    bool inputs_too = false;  // whether the gradient with respect to the inputs is wanted as well
    RunResult result;
    Step<T> step{}, bias_step{};
    std::chrono::steady_clock::time_point pause = std::chrono::steady_clock::time_point::max();
    std::atomic<bool> loss_spoilt{false}, update_spoilt{false}, stop{false};

    Index sample(Index position) const { return order ? static_cast<Index>(order[position]) : position; }
    Index batch_rows(Index first) const { return std::min(options.batch_size, end - first); }
    double learning_rate() const {  // of the coming step
        return options.learning_rates ? options.learning_rates[result.steps] : options.learning_rate;
    }
};

}  // namespace foxnn
