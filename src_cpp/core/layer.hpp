// What a network is made of: layers, and passes, which are layers at work on batches.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/parameter.hpp"
#include "core/samples.hpp"
#include "core/shape.hpp"
#include "core/team.hpp"

namespace foxnn {

template <class T>
class GradientSink;

// Rows of many that a worker does one thing after the other with.
constexpr Index kRowsTogether = 1024;

// Rows of numbers, the first of which is at x, and each `ld` numbers after the one before.
template <class T>
struct Inputs {
    const T* x;
    Index ld;
};

// What a layer at work is told of a batch, or of the part of one that goes through the network together.
struct BatchInfo {
    Index rows = 0;
    bool begins = true, ends = true;        // whether it is the first part, and whether it is the last
    const std::int64_t* samples = nullptr;  // (rows,): their numbers, which random ones are drawn for
    std::uint64_t seed = 0;
    std::uint32_t epoch = 0;
    bool random = true;         // whether there is dropout
    bool batch_moments = true;  // whether batches are normalised with their own moments
    UpcomingRows next;          // of the next batch, that can be brought nearer meanwhile
};

// A layer at work on batches of up to so many rows: what forward leaves for backward, in memory that is made once. All
// workers of a team call its functions together, unless it is said otherwise.
template <class T>
class Pass {
  public:
    Pass(Index rows, Index n_out)
        : ld_(padded_stride<T>(n_out)),
          y_(product(rows, ld_)),
          d_(product(rows, ld_)),
          n_out_(n_out),
          padded_(Panels<T>(1, n_out).padded_columns()) {}
    virtual ~Pass() = default;
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

    // The outputs y (rows, n_out), and the loss's gradient with respect to them; from row to row `ld` numbers.
    T* y() { return y_.data(); }
    const T* y() const { return y_.data(); }
    T* d() { return d_.data(); }
    const T* d() const { return d_.data(); }
    Index ld() const { return ld_; }
    Index n_out() const { return n_out_; }
    Index padded() const { return padded_; }  // n_out up to whole vectors: as many numbers of a row are worked on
    Inputs<T> outputs() const { return {y(), ld_}; }

    // Whether its memory is still what the layer needs, whose settings may have changed.
    virtual bool fits() const { return true; }
    // Numbers of memory that each worker needs in backward.
    virtual Index scratch_size() const { return 0; }

    // y of inputs; of rows that other workers have made there is none before the next barrier.
    virtual void forward(Inputs<T> inputs, const BatchInfo& batch, const Worker& worker) = 0;
    // Whether one worker can do some rows by itself, as forward_rows() does: the rows [begin, end).
    virtual bool works_by_rows() const { return false; }
    virtual void forward_rows(Inputs<T>, Index, Index, const BatchInfo&, const Worker&) {
        throw std::logic_error("a layer that does not work by rows");
    }

    // d (rows, columns), a part of the gradient of the outputs that begins at that row and column, times the derivative
    // of what made y of the layer's products. One worker; for backward_input() of the layer above, of its tiles.
    virtual void times_derivative(T* d, Index row, Index column, Index rows, Index columns) const = 0;
    // What has to be done with d, now that it is there, before what follows; which needs no barrier before it.
    virtual void begin_backward(const BatchInfo&, const GradientSink<T>&, const Worker&) {}
    // From d to the gradient of the inputs, (rows, n_in), times the derivative of the pass below (null: there is none).
    virtual void backward_input(T* d_inputs, Index ld, const Pass* below, const BatchInfo& batch,
                                const GradientSink<T>& sink, T* scratch, const Worker& worker) = 0;
    // From d to the gradients of the parameters, added to those of the parts before; with the last part they go into
    // the sink. False if one of them was not finite.
    virtual bool backward_parameters(Inputs<T>, const BatchInfo&, GradientSink<T>&, T*, const Worker&) { return true; }
    // What is kept for prediction follows the batch.
    virtual void move_statistics(const BatchInfo&, const Worker&) {}

  private:
    const Index ld_;
    Buffer<T> y_, d_;
    const Index n_out_, padded_;
};

// What a pass is made for.
struct PassOptions {
    std::size_t number;      // of the layer in its network
    Index rows;              // the most of a batch
    bool logits;             // whether the activation is left to the loss
    Index& room_for_copies;  // numbers that passes may still take for what makes them faster only
};

// What a layer is made with, by name, or what is changed of one: a name, such as an activation's, and numbers.
struct LayerSetting {
    std::string name;
    std::vector<double> numbers;
};
using LayerSettings = std::map<std::string, LayerSetting>;

// A kind of layer: a description and parameters, without memory for work.
template <class T>
class Layer {
  public:
    bool trainable = true;  // whether training changes it

    virtual ~Layer() = default;
    Layer(const Layer&) = delete;
    Layer& operator=(const Layer&) = delete;

    const Shape& input_shape() const { return input_shape_; }
    const Shape& output_shape() const { return output_shape_; }
    Index n_in() const { return n_in_; }    // numbers of a sample that comes in,
    Index n_out() const { return n_out_; }  // and of what comes out
    // What is learnt, in the order that files, optimizers and sums have; and what is kept for prediction besides.
    const std::vector<Parameter<T>*>& parameters() const { return parameters_; }
    const std::vector<Parameter<T>*>& statistics() const { return statistics_; }
    // The one of either of that name; null if there is none.
    Parameter<T>* find(const std::string& name) const {
        for (const auto* list : {&parameters_, &statistics_})
            for (Parameter<T>* parameter : *list)
                if (name == parameter->name) return parameter;
        return nullptr;
    }
    bool learns(const Parameter<T>& parameter) const { return trainable && parameter.has_effect; }

    // Changes a setting, unless that takes other arrays; each kind has its own.
    virtual void set(const std::string& setting, const LayerSetting&) {
        throw std::invalid_argument(setting + ": a layer of the kind '" + kind() + "' has no such setting");
    }
    // Fresh numbers for the parameters, drawn as that initializer draws them; none: they start as a new layer has them.
    virtual std::vector<Buffer<T>> initial(const std::string&, std::uint64_t, std::uint32_t, int) const { return {}; }

    virtual const char* kind() const = 0;
    virtual double flops() const = 0;  // of a sample, forward
    // What is done last to each output; null: nothing.
    virtual const Activation<T>* output_activation() const { return nullptr; }
    // Whether a sample's outputs depend on the other samples of its batch, in training.
    virtual bool mixes_samples() const { return false; }
    virtual std::unique_ptr<Layer> copy(Watch* watch = nullptr) const = 0;  // with a watch it may be interrupted
    // The same layer for samples of another shape; what goes with the shape starts anew, weights as zeros.
    virtual std::unique_ptr<Layer> with_inputs(const Shape& shape) const = 0;
    // A layer that predicts the same and mixes no samples.
    virtual std::unique_ptr<Layer> folded() const { return copy(); }
    // y (rows, n_out), for prediction, by one worker. A row's bits do not depend on the other rows.
    virtual void predict(Inputs<T> inputs, Index rows, T* y, Index ldy, bool logits, const Worker& worker) const = 0;
    virtual std::unique_ptr<Pass<T>> pass(const PassOptions& options) = 0;

  protected:
    Layer(Shape input_shape, Shape output_shape)
        : input_shape_(std::move(input_shape)),
          output_shape_(std::move(output_shape)),
          n_in_(input_shape_.size()),
          n_out_(output_shape_.size()) {}
    // The parameters that there are among these.
    void declare(std::initializer_list<Parameter<T>*> parameters, std::initializer_list<Parameter<T>*> statistics) {
        std::vector<Parameter<T>*> found[2];
        const std::initializer_list<Parameter<T>*> given[] = {parameters, statistics};
        for (int i = 0; i < 2; i++)
            for (Parameter<T>* parameter : given[i])
                if (*parameter) found[i].push_back(parameter);
        parameters_ = std::move(found[0]), statistics_ = std::move(found[1]);
    }

  private:
    const Shape input_shape_, output_shape_;
    const Index n_in_, n_out_;
    std::vector<Parameter<T>*> parameters_, statistics_;
};

}  // namespace foxnn
