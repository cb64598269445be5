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
    T* d_x = nullptr;         // where the gradient with respect to the inputs, (batch, n_in), is wanted
    std::size_t lowest = 0;   // the layer that backward goes down to
    Index most_rows = kMost;  // of a part
    bool in_parts = false;    // some batch has more
    RunResult result{};
    Totals totals{};                // with the parts of the batch at hand,
    double batch_weight = 0;        // whose weights are apart
    bool moves_statistics = false;  // whether what is kept for prediction follows the batch
    bool limits_norms = false;      // some parameter has a max_norm
    std::chrono::steady_clock::time_point pause = std::chrono::steady_clock::time_point::max();
    std::chrono::steady_clock::time_point turn_ends = pause;  // when the run is to make way for those who wait
    bool give_way = false;                                    // and whether it does
    bool may_be_long = false;                            // a step might keep someone waiting who wants to interrupt it
    std::chrono::steady_clock::time_point step_began{};  // if so
    std::atomic<bool> loss_not_finite{false}, update_not_finite{false}, stop{false};

    // A function from the number of a row to its sample, in a batch that begins at that position.
    auto samples_from(Index first) const {
        return [order = order, first](Index r) { return order ? static_cast<Index>(order[first + r]) : first + r; };
    }
    // The first part of the batch that begins there, and the part after another one. None has no rows.
    Part first_part(Index batch) const {
        const Index rows = std::clamp<Index>(end - batch, 0, options.batch_size);
        return {batch, std::min(most_rows, rows), batch, rows};
    }
    Part after(const Part& part) const {
        const Index next = part.first + part.rows;
        if (part.ends()) return first_part(next);
        return {next, std::min(most_rows, part.batch_first + part.batch_rows - next), part.batch_first,
                part.batch_rows};
    }
    // Whether all gradients are kept until the last is there: to scale down their norm, or add up those of parts.
    bool keeps_all() const { return sink.clips_norm() || in_parts; }
    double learning_rate() const {  // of the coming step
        return options.learning_rates ? options.learning_rates[result.steps] : options.learning_rate;
    }
};

}  // namespace foxnn
