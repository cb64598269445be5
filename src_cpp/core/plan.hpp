// The passes of all layers of a network, for one size of batches, with their memory.
#pragma once
#include <memory>
#include <vector>

#include "core/gradient_sink.hpp"

namespace foxnn {

template <class T>
class Plan {
  public:
    Plan() = default;  // of no network
    // For batches of up to so many rows, and a team of up to so many workers; with `logits` the loss applies the last
    // activation itself.
    Plan(Network<T>& network, Index rows, int workers, bool logits);
    // Whether it can be used for batches of so many rows, and no layer has changed so that its pass no longer fits.
    bool fits(Index rows) const;
    Index rows() const { return rows_; }
    void provide_for(int workers);
    // Allocates the memory that backward() needs for the gradient of the inputs.
    void provide_for_inputs() { d_inputs_.grow(product(rows_, ld_inputs_)); }

    std::size_t size() const { return passes_.size(); }
    const Pass<T>& operator[](std::size_t l) const { return *passes_[l]; }
    Pass<T>& last() { return *passes_.back(); }
    const Pass<T>& last() const { return *passes_.back(); }
    // The inputs of the last pass.
    Inputs<T> inputs_of_last(Inputs<T> inputs) const { return inputs_of(passes_.size() - 1, inputs); }
    const T* d_inputs() const { return d_inputs_.data(); }  // (rows, n_in)
    Index ld_inputs() const { return ld_inputs_; }

    // Called by all workers: the outputs of all layers but the last, which the trainer may have computed by rows.
    void forward(Inputs<T> inputs, const BatchInfo& batch, const Worker& worker);
    // The lowest layer that learns something.
    std::size_t lowest() const;
    // From the gradient of the last layer's products, which is there, to those of the parameters, down to the layer
    // `lowest`, and, if wanted, to that of this layer's inputs. False if one of them was not finite.
    bool backward(Inputs<T> inputs, std::size_t lowest, bool inputs_too, const BatchInfo& batch, GradientSink<T>& sink,
                  const Worker& worker);
    void move_statistics(const BatchInfo& batch, const Worker& worker);

  private:
    Inputs<T> inputs_of(std::size_t l, Inputs<T> inputs) const { return l ? passes_[l - 1]->outputs() : inputs; }

    Network<T>* network_ = nullptr;
    std::uint64_t layout_ = 0;  // of the network, when this was made
    Index rows_ = 0, ld_inputs_ = 0, scratch_size_ = 0;
    std::vector<std::unique_ptr<Pass<T>>> passes_;
    std::vector<Buffer<T>> scratch_;  // of each worker
    Buffer<T> d_inputs_;
};

}  // namespace foxnn
