// A network: a stack of layers, how it is changed, and prediction.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "core/fair_lock.hpp"
#include "core/layers/dense.hpp"

namespace foxnn {

// A loss in the form that suits a network's output activation. Without a kernel: a loss that the user computes.
template <class T>
struct NetworkLoss {
    const Loss<T>* kernel = nullptr;
    std::vector<T> parameters;
    bool from_logits = false;  // it takes logits, and applies the output activation itself
    T kept = 1, spread = 0;    // label smoothing: a target t is read as kept t + spread

    T threshold() const { return from_logits ? T(0) : T(0.5); }  // between the outputs of two classes
    // As Samples::read_targets(), with label smoothing.
    template <class Sample>
    void read_targets(const Samples& samples, const Sample& sample, Index rows, Index n_out, T* t, Index ld,
                      const Scaling& scaling) const {
        samples.read_targets(sample, rows, n_out, t, ld, scaling);
        for (Index r = 0; spread != 0 && r < rows; r++)
            for (Index j = 0; j < n_out; j++) t[r * ld + j] = kept * t[r * ld + j] + spread;
    }
};

// What kind of inputs a network was trained on, to notice inputs of the other kind: pixels of uint8, which are read as
// x / 255, or numbers beyond 1, which are read as they are. Numbers between 0 and 1 may be either.
enum class TrainedOn { unknown, pixels, numbers };

template <class T>
class Network {
  public:
    using Layers = std::vector<std::shared_ptr<Layer<T>>>;  // shared with who holds one of them by itself
    Layers layers;
    // What training does to the inputs: noise of that standard deviation, and a share of them dropped.
    T input_noise = 0, input_dropout = 0;
    std::atomic<TrainedOn> trained_on = TrainedOn::unknown;
    // Guards the weights: shared by those who read them, exclusive to those who change them.
    mutable FairLock mutex;
    std::uint64_t changes = 0;  // how often the layers or scalings have changed; counted under the lock
    // Which arrays the layers have: another number after each change of them, 0 for none. What is made to go with them
    // (gradients, an optimizer's memory) remembers it; copies have the same.
    std::uint64_t layout = 0;
    // Inputs are scaled when they are read, targets too, and outputs are scaled back when they are handed out.
    Scaling input_scaling, output_scaling;

    // The parameters of all layers in order; `number` of each is its place here.
    const std::vector<Parameter<T>*>& parameters() const { return parameters_; }
    // Whether a sample's outputs depend on the other samples of its batch, in training.
    bool mixes_samples() const { return mixes_samples_; }
    const Layer<T>& output_layer() const { return *layers.at(layers.size() - 1); }
    Index n_in() const { return layers.at(0)->n_in(); }
    Index n_out() const { return output_layer().n_out(); }
    double flops_per_sample() const { return flops_per_sample_; }
    std::unique_ptr<Network> copy(bool folded = false) const;  // perhaps one that mixes no samples
    std::unique_ptr<Network> copy_locked(bool folded = false, Watch* watch = nullptr) const;  // by who has the lock

    // ---- changing the layers, under the lock; after an error they are as they were ----
    // Inserts a layer before layer l, or after the last; its inputs must have the shape of the outputs before it.
    // Returns how many of the layers that follow got inputs of another shape: these have been replaced, with zeros for
    // weights.
    std::size_t insert(std::size_t l, std::shared_ptr<Layer<T>> layer);
    std::size_t erase(std::size_t l);  // the same; not the only layer
    // Replaces the layers from begin to end by others, whose shapes must fit.
    void replace(std::size_t begin, std::size_t end, Layers fresh);

    // ---- prediction (prediction.cpp) ----
    // Copies a row of outputs y to the caller, in the units of the user.
    void hand_out(const T* y, T* out) const {
        if (output_scaling.empty())
            copy_row(y, n_out(), out);
        else
            output_scaling.undo(y, out);
    }
    // out (x.n, n_out). Bits of a row do not depend on the other rows, nor on the threads. False, and `out` is not to
    // be used, if `check` and a number of plain x is not finite.
    bool predict(const Rows& x, T* out, int n_threads, bool check = false) const;
    // The same without ever waiting: false, and nothing done, while someone changes the weights.
    bool predict_if_free(const Rows& x, T* out, int n_threads) const;
    // Raises unless the samples are as wide as the network and, if a loss is to be had, have targets for its outputs.
    void check(const Samples& samples, bool with_targets) const;
    // Loss and number of correct answers, summed over the samples.
    Totals evaluate(const Samples& samples, const NetworkLoss<T>& loss, int n_threads) const;
    // The loss named so, in its form for this network's output.
    NetworkLoss<T> use_loss(const std::string& name, const std::vector<double>& parameters) const;

  private:
    void append(std::shared_ptr<Layer<T>> layer);
    std::size_t put(std::size_t begin, std::size_t end, Layers fresh);
    void note(const Layer<T>& layer, std::size_t l);
    void layers_have_changed();
    // The same network, but one that mixes no samples; made when first needed after a change. Under the lock.
    const Network& folded() const;
    Index widest_hidden_stride(bool odd) const;  // of every second hidden layer, from the first or second one on
    bool predict_locked(const Rows& x, T* out, int n_threads, bool check) const;
    void predict_row(const T* x, T* out) const;
    // y (rows, n_out), stride ldy: outputs, or logits, for rows of x; a and b are scratch for the outputs of hidden
    // layers, by turns.
    void forward_block(const Worker& worker, const T* x, Index ldx, Index rows, T* a, T* b, T* y, Index ldy,
                       bool logits) const;

    std::vector<Parameter<T>*> parameters_;
    std::vector<const Dense<T>*> dense_;  // the layers, if all are dense: there are faster ways for some such networks
    // What follows from the layers, so that no call has to ask each of them.
    bool mixes_samples_ = false;
    double flops_per_sample_ = 0;
    Index widest_stride_ = 0;   // between rows of inputs or of a layer's outputs
    mutable FairLock folding_;  // by those who share the lock
    mutable std::unique_ptr<Network> folded_;
    mutable std::uint64_t folded_changes_ = 0;
};

}  // namespace foxnn
