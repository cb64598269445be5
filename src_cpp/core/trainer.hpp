// Training: the loop over batches, forward, loss, backward and update, run by a team of threads.
#pragma once
#include <string>
#include <vector>

#include "core/network.hpp"
#include "core/optimizer_state.hpp"
#include "core/team.hpp"
#include "core/team_choice.hpp"

namespace foxnn {

// What is added to the loss for every weight w: l1 |w| + l2 w^2 / 2. Biases are not penalised.
struct Penalty {
    double l1 = 0, l2 = 0;
};

struct RunOptions {
    Index batch_size = 32;
    double learning_rate = 0.01;
    const double* learning_rates = nullptr;  // of each step of the run, in place of the one rate
    Penalty penalty;
    bool sum = false;        // gradients are sums over the batch, not weighted means
    bool random = true;      // whether there is dropout and noise, as the network is set to
    double seconds = 0;      // stop after the first whole step past that time; 0: only if others wait for the network
    int n_threads = 0;       // 0: as many as are worth it
    std::uint64_t seed = 0;  // of dropout and noise
    std::uint32_t epoch = 0;
    Totals totals;  // of the epoch so far; the run adds to them, so that a pause does not show in their last bits
};

enum class Outcome { finished, paused, interrupted, loss_not_finite, update_not_finite };

struct RunResult {
    Outcome outcome = Outcome::finished;
    Index next = 0;   // first sample (by position in the order) not trained on
    Index steps = 0;  // batches trained on
    Totals totals;
};

// Gradients of one batch, in the layout of the layers' parameters; zero for layers that are not trainable.
template <class T>
struct Gradients {
    std::vector<Parameters<T>> layers;
    std::uint64_t layout = 0;  // of the network

    Gradients() = default;
    explicit Gradients(const Network<T>& network) : layers(network.layers.size()), layout(network.layout) {
        for (std::size_t l = 0; l < layers.size(); l++)
            for (const Part part : kParts) layers[l][part] = Buffer<T>(network.layers[l][part].size());
    }
};

template <class T>
class Trainer {
  public:
    Trainer(Network<T>& network, LossUse<T> loss) : network_(network), loss_(std::move(loss)) {}
    const Network<T>& network() const { return network_; }

    // Trains on the samples order[begin], .., order[end - 1] (null: begin, .., end - 1), batch after batch.
    RunResult run(const Samples& samples, const std::int64_t* order, Index begin, Index end,
                  OptimizerState<T>& optimizer, const RunOptions& options);
    // Loss totals of all samples as one batch, the penalties included; its gradients, and d_x (n, n_in) with respect to
    // the inputs, each if not null. Nothing is changed.
    Totals gradients(const Samples& samples, const RunOptions& options, Gradients<T>* out, T* d_x);

    // ---- a batch in halves, for loops and losses that are not ours (halves.cpp) ----
    // The outputs y (rows, n_out) of the samples order[begin], .., order[end - 1] as one batch. What backward needs is
    // kept, until the next forward half or until weights change.
    void forward_half(const Samples& samples, const std::int64_t* order, Index begin, Index end,
                      const RunOptions& options, T* y);
    // Whether a forward half of so many rows has been kept.
    bool keeps(Index rows) const { return rows > 0 && rows == kept_rows_ && kept_changes_ == network_.changes; }
    // What layer l put out in the latest forward half, (rows, n_out of that layer). False, and nothing done, if no such
    // forward half has been kept.
    bool layer_output(std::size_t l, Index rows, T* out) const;
    // From the gradient d of y, (rows, n_out), to those of all parameters and to d_x (rows, n_in), each if not null;
    // nothing is changed. False, and nothing done, if no such forward half has been kept.
    bool backward_half(const T* d, Index rows, Gradients<T>* out, T* d_x, int n_threads);
    // From d to one step of the optimizer. With `weighted`, d is that of each sample's own loss, and the mean's is made
    // of it with the samples' weights.
    bool update_half(const T* d, Index rows, bool weighted, OptimizerState<T>& optimizer, const RunOptions& options,
                     Outcome& outcome);
    // One step of the optimizer on these gradients.
    Outcome apply(Gradients<T> gradients, OptimizerState<T>& optimizer, const RunOptions& options);

  private:
    struct LayerMemory {
        Index ld = 0;
        Buffer<T> y, slope, d;  // (batch, n_out): outputs, derivatives if y does not tell them, gradients
        Buffer<T> x_tiles;      // the inputs as pack_tiles() leaves them; empty where that is not worth it
        // Of a normalisation: normal (batch, n_out); moments and gradients (n_out,); 1 / deviation (n_out,) or
        // (batch,).
        Buffer<T> normal, mean, variance, inverse, d_gamma, d_beta;
    };
    // A batch as gathered; there are two, so that one is filled while the other is worked on.
    struct Batch {
        Index first = 0, rows = 0;
        Buffer<T> x, targets, weights;
        Buffer<std::int64_t> samples;  // their numbers
    };
    struct Inputs {  // of a layer: a batch's rows, or the outputs of the layer below
        const T* x;
        Index ld;
    };
    struct WorkerMemory {
        Buffer<T> panel;  // of a transposed weight matrix, or of the outputs' gradients
        Buffer<T> sums;   // a panel of a weight gradient
    };
    struct Job;

    void check_range(const Samples& samples, const std::int64_t* order, Index begin, Index end) const;
    void check_order(const Job& job, Index first) const;
    LayerMemory memory_of(std::size_t l, Index rows, Index& room_for_tiles) const;
    bool fits(Index rows) const;
    void allocate(Index rows, int workers);
    void gather(const Job& job, Batch& batch, Index first, const Worker& worker) const;
    void forward(Job& job, const Batch& batch, const Worker& worker);
    void hidden_layer(const Job& job, std::size_t l, const Batch& batch, const T* x, Index ldx, const Worker& worker);
    void drop(const Job& job, std::size_t l, const Batch& batch, Index panel, Index row, Index n);
    Inputs inputs_of(std::size_t l, const Batch& batch) const;
    bool reads_tiles(std::size_t l, Index rows) const;
    void cut_into_tiles(std::size_t l, const Batch& batch, const Worker& worker);
    bool uses_batch_moments(std::size_t l) const;
    void normalised_layer(const Job& job, std::size_t l, const Batch& batch, const T* x, Index ldx,
                          const Worker& worker);
    void normalise_panel(std::size_t l, Index panel, Index rows);
    void activate(const Job& job, std::size_t l, const Batch& batch, Index panel, Index row, Index n);
    void norm_gradient(const Job& job, std::size_t l, Index rows, const Worker& worker);
    void move_statistics(std::size_t l, Index rows, const Worker& worker);
    void output_layer(Job& job, const Batch& batch, const T* x, Index ldx, const Worker& worker);
    std::size_t lowest_layer(const Job& job) const;
    void backward(Job& job, const Batch& batch, const Worker& worker);
    static void times_slope(const Dense<T>& layer, T* d, const LayerMemory& memory, Index row, Index column, Index rows,
                            Index columns);
    void input_gradient(const Job& job, std::size_t l, Index rows, const Worker& worker);
    void add_input_noise(const RunOptions& options, T* x, std::int64_t sample) const;
    bool use_gradient(const Job& job, std::size_t l, Part part, Index offset, Index n, T* gradient);
    bool use_norm_gradient(const Job& job, std::size_t l, Index column, Index width);
    bool weight_gradient(const Job& job, std::size_t l, const Batch& batch, const Worker& worker);
    bool may_be_long(Index rows) const;
    void prepare_step(Job& job);
    void store_gradients(Job& job);
    void decide_on_storing(Job& job);
    static void begin_step(Job& job);
    void begin_step_of(Job& job, const Batch& batch, const Worker& worker);
    void end_step(Job& job, Index rows, const Worker& worker);
    void use_stored(Job& job, Index rows, const Worker& worker);
    void limit_norms(const Worker& worker);
    void work(Job& job, const Worker& worker);
    void copy_input_gradients(Index rows, T* d_x) const;
    bool second_half(Job& job, const T* d, Index rows, bool weighted);

    Network<T>& network_;
    LossUse<T> loss_;
    TeamChoice choice_;
    std::uint64_t layout_ = 0;  // of the network, as this memory is for it
    Index ld_x_ = 0, ld_t_ = 0, allocated_rows_ = 0;
    std::vector<LayerMemory> layers_;
    Batch batches_[2];
    Buffer<T> row_loss_;
    Buffer<T> d_x_;  // (batch, n_in): gradients of the inputs; only if someone wants them
    std::vector<WorkerMemory> workers_;
    bool training_ = true;            // whether the latest forward pass was one of training: how to normalise
    Index kept_rows_ = 0;             // of the forward half that backward may go on from
    std::uint64_t kept_changes_ = 0;  // of the network, when that was
    double forward_seconds_ = 0;      // that it took
    Gradients<T> stored_;             // where a step needs all gradients at once; empty until then
};

// A permutation of 0, .., n - 1 that depends on seed and epoch alone (Fisher and Yates).
void shuffled_order(std::uint64_t seed, std::uint32_t epoch, Index n, std::int64_t* order);

}  // namespace foxnn
