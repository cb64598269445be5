// Training: the loop over batches, forward, loss, backward and update, run by a team of threads.
#pragma once
#include <string>
#include <vector>

#include "core/plan.hpp"
#include "core/team_choice.hpp"

namespace foxnn {

struct RunOptions {
    Index batch_size = 32;
    double learning_rate = 0.01;
    const double* learning_rates = nullptr;  // of each step of the run, in place of the one rate
    Penalty penalty;
    bool sum = false;    // gradients are sums over the batch, not weighted means
    bool random = true;  // whether there is dropout and noise, as the network is set to
    double seconds = 0;  // pause after the first step that ends later than that; 0: only if others wait for the lock
    int n_threads = 0;   // 0: as many as are worth it
    std::uint64_t seed = 0;  // of dropout and noise
    std::uint32_t epoch = 0;
    Totals totals;  // of the epoch so far; the run adds to them sample by sample, so that pauses do not change rounding
};

// What a forward pass is made for.
enum class ForwardFor {
    training,    // with dropout and noise; batches are normalised with their own moments, which the running ones follow
    gradients,   // without dropout and noise; batches are normalised with their own moments; nothing is changed
    prediction,  // without dropout and noise; the running moments; nothing is changed
};

enum class Outcome { finished, paused, interrupted, loss_not_finite, update_not_finite };

struct RunResult {
    Outcome outcome = Outcome::finished;
    Index next = 0;   // first sample (by position in the order) not trained on
    Index steps = 0;  // batches trained on
    Totals totals;
};

// The rows of a batch that go through the network together: all of them or, of a batch too large for the near caches,
// some at a time. Sums over the batch go on from one micro-batch to the next, so their order is that of the whole
// batch.
struct MicroBatch {
    Index first, rows;              // positions in the order
    Index batch_first, batch_rows;  // those of the whole batch

    bool begins() const { return first == batch_first; }
    bool ends() const { return first + rows == batch_first + batch_rows; }
    bool is_all() const { return begins() && ends(); }
};

// The most rows of a micro-batch. Kernels add up blocks of 128 rows, so it is a multiple of 128: otherwise sums over a
// batch would be rounded differently than those of the whole batch at once.
constexpr Index kMicroBatchRows = 1024;

template <class T>
class Trainer {
  public:
    Trainer(Network<T>& network, NetworkLoss<T> loss) : network_(network), loss_(std::move(loss)) {}
    const Network<T>& network() const { return network_; }

    // Trains on the samples order[begin], .., order[end - 1] (null: begin, .., end - 1), batch after batch.
    RunResult run(const Samples& samples, const std::int64_t* order, Index begin, Index end,
                  OptimizerState<T>& optimizer, const RunOptions& options);
    // Loss totals of all samples as one batch, the penalties included; its gradients, and d_x (n, n_in) with respect to
    // the inputs, each if not null. Nothing is changed.
    Totals gradients(const Samples& samples, const RunOptions& options, Gradients<T>* out, T* d_x);

    // ---- forward and backward one after the other, for loops and losses of others (own_loops.cpp) ----
    // The outputs y (rows, n_out) of the samples order[begin], .., order[end - 1] as one batch. What backward needs is
    // kept, until the next such call or until weights change.
    void forward_batch(const Samples& samples, const std::int64_t* order, Index begin, Index end, ForwardFor purpose,
                       const RunOptions& options, T* y);
    // Whether forward_batch() of so many rows has been kept.
    bool keeps(Index rows) const { return rows > 0 && rows == kept_rows_ && kept_changes_ == network_.changes; }
    // What layer l put out in the latest forward_batch(), (rows, n_out of that layer). False, and nothing done, if
    // none has been kept.
    bool layer_output(std::size_t l, Index rows, T* out) const;
    // From the gradient d of y, (rows, n_out), to those of all parameters and to d_x (rows, n_in), each if not null;
    // nothing is changed. False, and nothing done, if no forward_batch() has been kept.
    bool backward_batch(const T* d, Index rows, Gradients<T>* out, T* d_x, int n_threads);
    // From d to one step of the optimizer. With `weighted`, d is that of each sample's own loss, and the mean's is made
    // of it with the samples' weights.
    bool update_batch(const T* d, Index rows, bool weighted, OptimizerState<T>& optimizer, const RunOptions& options,
                      Outcome& outcome);
    // One step of the optimizer on these gradients.
    Outcome apply(Gradients<T> gradients, OptimizerState<T>& optimizer, const RunOptions& options);

  private:
    // The gathered samples of a micro-batch. There are two, so that one is filled while the other is worked on.
    struct Batch {
        MicroBatch part{};
        Buffer<T> x, targets, weights;
        Buffer<std::int64_t> samples;  // their numbers
    };
    struct Job;

    void check_range(const Samples& samples, const std::int64_t* order, Index begin, Index end) const;
    void check_order(const Job& job, const MicroBatch& part) const;
    void allocate(Index rows, int workers);
    double share_of(const Job& job, const MicroBatch& part) const;
    void gather(const Job& job, const MicroBatch& part, double share, Batch& batch, const Worker& worker) const;
    // Of its rows [begin, end), the samples at the positions from first + begin on: their numbers and weights, their
    // inputs (for which the numbers have to be there), and their targets.
    void gather_numbers(const Job& job, Index first, double share, Batch& batch, Index begin, Index end) const;
    void gather_inputs(const Job& job, Index first, Batch& batch, Index begin, Index end) const;
    void gather_targets(const Job& job, Index first, Batch& batch, Index begin, Index end) const;
    void add_input_noise(const RunOptions& options, T* x, std::int64_t sample) const;
    Inputs<T> inputs_of(const Batch& batch) const { return {batch.x.data(), ld_x_}; }
    BatchInfo info_of(const Job& job, const Batch& batch, const MicroBatch& next) const;
    void forward(Job& job, const Batch& batch, const BatchInfo& info, const Worker& worker);
    void work_out_loss(Job& job, const Batch& batch, Index begin, Index n);
    void backward(Job& job, const Batch& batch, const BatchInfo& info, const Worker& worker);
    bool may_be_long(Index rows) const;
    void prepare_step(Job& job);
    void keep_gradients(Job& job);
    void decide_on_keeping(Job& job);
    void add_up(Job& job, const Batch& batch) const;
    void begin_step_of(Job& job, const MicroBatch& part, const Worker& worker);
    void end_step(Job& job, const BatchInfo& info, const Worker& worker);
    void limit_norms(const Worker& worker);
    void work(Job& job, const Worker& worker);
    void copy_input_gradients(const Job& job, const MicroBatch& part, const Worker& worker) const;
    bool backward_from(Job& job, const T* d, Index rows, bool weighted);

    Network<T>& network_;
    NetworkLoss<T> loss_;
    TeamChoice choice_;
    Plan<T> plan_;
    Index ld_x_ = 0, ld_t_ = 0;
    Batch batches_[2];
    Buffer<T> row_loss_;
    bool batch_moments_ = true;       // whether the latest forward pass has normalised batches with their own moments
    Index kept_rows_ = 0;             // of the forward_batch() that backward can go on from; 0: there is none
    std::uint64_t kept_changes_ = 0;  // the network's count of changes after it
    double forward_seconds_ = 0;      // how long it took
    Gradients<T> kept_gradients_;     // for steps that need all gradients at once; allocated by the first of them
};

// A permutation of 0, .., n - 1 that depends on seed and epoch alone (Fisher and Yates).
void shuffled_order(std::uint64_t seed, std::uint32_t epoch, Index n, std::int64_t* order);

}  // namespace foxnn
