// What the workers of a training run share.
#pragma once
#include <atomic>
#include <chrono>

#include "core/pieces.hpp"
#include "core/trainer.hpp"

namespace foxnn {

// Rows of many that a worker does one thing after the other with.
constexpr Index kRowsTogether = 1024;

// Seconds that someone who wants to interrupt a step may have to wait for its end. A longer one stores its gradients:
// until the last one is there it can be given up, and to use them takes much less.
constexpr double kLongestWait = 0.05;

// What the workers of a run share. The optimizer uses gradients as soon as they are there; with `gradients` they are
// stored (first), and until the optimizer begins to use them nothing has been changed.
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
    Pieces<T> pieces{};             // of all arrays, if the optimizer uses stored gradients
    bool moves_statistics = false;  // whether the running moments of batch normalisation follow the batch's
    bool limits_norms = false;      // some layer has a max_norm
    Step<T> weight_step{}, step{};  // of weights, which are penalised; of everything else
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
    // Whether the optimizer waits for all gradients: where the norm of all is clipped, and in steps that take long.
    bool waits() const { return optimizer && gradients; }
    // As Worker::worked(), unless the optimizer has begun its step, which is then finished.
    void worked(const Worker& worker, Index units) const {
        if (!optimizer || gradients) worker.worked(units);
    }
    Index batch_rows(Index first) const { return std::min(options.batch_size, end - first); }
    // Of the batch that begins there, the rows that this worker will gather.
    auto rows_ahead(Index first, const Worker& worker, Index calls) const {
        const Index rows = batch_rows(first);
        return RowsAhead(samples.x, samples_from(first), worker.begin(rows), worker.end(rows), calls);
    }
    double learning_rate() const {  // of the coming step
        return options.learning_rates ? options.learning_rates[result.steps] : options.learning_rate;
    }
    const Step<T>& step_of(Part part) const { return part == Part::weights ? weight_step : step; }
};

}  // namespace foxnn
