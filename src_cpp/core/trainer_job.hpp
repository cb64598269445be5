// What the workers of a training run share.
#pragma once
#include <atomic>
#include <chrono>

#include "core/trainer.hpp"

namespace foxnn {

// The longest time, in seconds, that a step may take during which it cannot be interrupted. A step that takes longer
// keeps all of its gradients before it changes the first weight: until then it can be abandoned, and the update of the
// weights alone is much shorter.
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
    T* d_x = nullptr;               // where the gradient with respect to the inputs, (batch, n_in), is wanted
    std::size_t lowest = 0;         // the layer that backward goes down to
    Index most_rows = kMost;        // of a micro-batch
    bool in_micro_batches = false;  // whether a batch has more rows, and so several micro-batches
    RunResult result{};
    Totals totals{};                // those of `result` and of the current batch so far, except for
    double batch_weight = 0;        // the sum of that batch's weights so far
    bool moves_statistics = false;  // whether what is kept for prediction follows the batch
    bool limits_norms = false;      // some parameter has a max_norm
    std::chrono::steady_clock::time_point pause = std::chrono::steady_clock::time_point::max();
    std::chrono::steady_clock::time_point turn_ends = pause;  // when the run is to make way for those who wait
    bool give_way = false;                                    // and whether it does
    bool may_be_long = false;                                 // whether a step may take longer than kLongestWait
    std::chrono::steady_clock::time_point step_began{};       // measured if it may
    std::atomic<bool> loss_not_finite{false}, update_not_finite{false}, stop{false};

    // A function from the number of a row to its sample, in a batch that begins at that position.
    auto samples_from(Index first) const {
        return [order = order, first](Index r) { return order ? static_cast<Index>(order[first + r]) : first + r; };
    }
    // The first micro-batch of the batch that begins there, and the one that follows another; without rows at the end.
    MicroBatch first_micro_batch(Index batch) const {
        const Index rows = std::clamp<Index>(end - batch, 0, options.batch_size);
        return {batch, std::min(most_rows, rows), batch, rows};
    }
    MicroBatch after(const MicroBatch& part) const {
        const Index next = part.first + part.rows;
        if (part.ends()) return first_micro_batch(next);
        return {next, std::min(most_rows, part.batch_first + part.batch_rows - next), part.batch_first,
                part.batch_rows};
    }
    // Whether all gradients are kept until the last is there: to scale down their norm, or add up those of parts.
    bool keeps_all() const { return sink.clips_norm() || in_micro_batches; }
    double learning_rate() const {  // of the coming step
        return options.learning_rates ? options.learning_rates[result.steps] : options.learning_rate;
    }
};

}  // namespace foxnn
