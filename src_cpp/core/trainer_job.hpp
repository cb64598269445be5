// What the workers of a training run share.
#pragma once
#include <atomic>
#include <chrono>

#include "core/trainer.hpp"

namespace foxnn {

// Seconds that someone who wants to interrupt a step may have to wait for its end. A longer one stores its gradients:
// until the last one is there it can be given up, and to use them takes much less.
constexpr double kLongestWait = 0.05;

// What the workers of a run share. Where gradients are kept, nothing has been changed until the optimizer's step
// begins.
template <class T>
struct Trainer<T>::Job {
    const Samples& samples;
    const std::int64_t* order;
    Index end;
    const RunOptions& options;
    GradientSink<T> sink;
    bool inputs_too = false;  // whether the gradient with respect to the inputs is wanted as well
    RunResult result{};
    bool moves_statistics = false;  // whether what is kept for prediction follows the batch
    bool limits_norms = false;      // some parameter has a max_norm
    std::chrono::steady_clock::time_point pause = std::chrono::steady_clock::time_point::max();
    std::chrono::steady_clock::time_point turn_ends = pause;  // when the run is to make way for those who wait
    bool give_way = false;                                    // and whether it does
    bool may_be_long = false;                            // a step might keep someone waiting who wants to interrupt it
    std::chrono::steady_clock::time_point step_began{};  // if so
    std::atomic<bool> loss_spoilt{false}, update_spoilt{false}, stop{false};

    // A function from the number of a row to its sample, in a batch that begins at that position.
    auto samples_from(Index first) const {
        return [order = order, first](Index r) { return order ? static_cast<Index>(order[first + r]) : first + r; };
    }
    Index batch_rows(Index first) const { return std::min(options.batch_size, end - first); }
    double learning_rate() const {  // of the coming step
        return options.learning_rates ? options.learning_rates[result.steps] : options.learning_rate;
    }
};

}  // namespace foxnn
