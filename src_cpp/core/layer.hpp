// Layers, which hold parameters, and passes, which take batches forward and backward through a layer.
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

// Where a worker does several things to many rows, it does them all to so many rows, which stay in a cache meanwhile,
// before it goes on to the next ones.
constexpr Index kRowsTogether = 1024;

// Rows of numbers: the first begins at x, and each `ld` numbers (the leading dimension) after the one before.
template <class T>
struct Inputs {
    const T* x;
    Index ld;
};

// What a pass needs to know of a batch, or of a micro-batch: the part of a batch that goes through the network
// together.
struct BatchInfo {
    Index rows = 0;
    bool begins = true, ends = true;        // whether it is the first part of its batch, and whether it is the last
    const std::int64_t* samples = nullptr;  // (rows,): the samples' numbers, which dropout and noise depend on
    std::uint64_t seed = 0;
    std::uint32_t epoch = 0;
    bool random = true;         // whether there is dropout
    bool batch_moments = true;  // whether batches are normalised with their own moments
    UpcomingRows next;          // of the next batch, to be prefetched meanwhile
};

// A layer's way forward and backward for batches of up to so many rows, and the memory for what forward leaves to
// backward, which is allocated once. All workers of a team call each function together, unless its comment says that
// one worker does.
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

    // The outputs y (rows, n_out), and d, the gradient of the loss with respect to them; both with rows `ld` apart.
    T* y() { return y_.data(); }
    const T* y() const { return y_.data(); }
    T* d() { return d_.data(); }
    const T* d() const { return d_.data(); }
    Index ld() const { return ld_; }
    Index n_out() const { return n_out_; }
    Index padded() const { return padded_; }  // n_out rounded up to whole vectors, which kernels read and write
    Inputs<T> outputs() const { return {y(), ld_}; }

    // Whether its memory is what the layer needs; not so, perhaps, after one of the layer's settings has changed.
    virtual bool fits() const { return true; }
    // How many numbers of scratch memory each worker needs in backward.
    virtual Index scratch_size() const { return 0; }

    // Computes y. The rows of other workers are there only after the next barrier.
    virtual void forward(Inputs<T> inputs, const BatchInfo& batch, const Worker& worker) = 0;
    // Whether one worker can compute the rows [begin, end) of y by itself, with forward_rows().
    virtual bool works_by_rows() const { return false; }
    virtual void forward_rows(Inputs<T>, Index, Index, const BatchInfo&, const Worker&) {
        throw std::logic_error("a layer that does not work by rows");
    }

    // Multiplies a tile of d, (rows, columns) from that row and column on, by the derivative of whatever the layer does
    // to its products to make y of them (the activation, say). Called by one worker; the layer above does so with each
    // tile that its backward_input() has finished.
    virtual void times_derivative(T* d, Index row, Index column, Index rows, Index columns) const = 0;
    // Called first, when d is complete. The functions that follow may read what it leaves without another barrier.
    virtual void begin_backward(const BatchInfo&, const GradientSink<T>&, const Worker&) {}
    // Computes the gradient of the inputs, (rows, n_in), from d; times the derivative of the pass below, if that is not
    // null.
    virtual void backward_input(T* d_inputs, Index ld, const Pass* below, const BatchInfo& batch,
                                const GradientSink<T>& sink, T* scratch, const Worker& worker) = 0;
    // Computes the gradients of the parameters from d, added to those of the parts of the batch before; with the last
    // part, hands them to the sink. False if the sink returned false for one of them.
    virtual bool backward_parameters(Inputs<T>, const BatchInfo&, GradientSink<T>&, T*, const Worker&) { return true; }
    // Moves the statistics that are kept for prediction towards those of the batch.
    virtual void move_statistics(const BatchInfo&, const Worker&) {}

  private:
    const Index ld_;
    Buffer<T> y_, d_;
    const Index n_out_, padded_;
};

struct PassOptions {
    std::size_t number;      // of the layer in its network
    Index rows;              // the most that a batch may have
    bool logits;             // whether y is to be logits: the loss applies the activation itself
    Index& room_for_copies;  // how many numbers passes may still allocate for copies that only make them faster
};

// The value of a setting that a layer is made with, or that is changed: a name, such as an activation's, and numbers.
struct LayerSetting {
    std::string name;
    std::vector<double> numbers;
};
using LayerSettings = std::map<std::string, LayerSetting>;

// A layer: its settings and parameters. The memory for training belongs to its passes. Each kind derives from this.
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
    // What training learns, in the order of files, optimizers and sums over all parameters; and statistics, which
    // training only measures, for prediction.
    const std::vector<Parameter<T>*>& parameters() const { return parameters_; }
    const std::vector<Parameter<T>*>& statistics() const { return statistics_; }
    // The parameter or statistic of that name; null if there is none.
    Parameter<T>* find(const std::string& name) const {
        for (const auto* list : {&parameters_, &statistics_})
            for (Parameter<T>* parameter : *list)
                if (name == parameter->name) return parameter;
        return nullptr;
    }
    bool learns(const Parameter<T>& parameter) const { return trainable && parameter.has_effect; }

    // Changes a setting of those that do not change the layer's arrays; which there are depends on the kind.
    virtual void set(const std::string& setting, const LayerSetting&) {
        throw std::invalid_argument(setting + ": a layer of the kind '" + kind() + "' has no such setting");
    }
    // New initial values for the parameters, from the initializer of that name; an empty list if the values that a
    // newly made layer has are all there are.
    virtual std::vector<Buffer<T>> initial(const std::string&, std::uint64_t, std::uint32_t, int) const { return {}; }

    virtual const char* kind() const = 0;
    virtual double flops() const = 0;  // of a sample, forward
    // The activation that makes the outputs, for losses that are computed together with it; null if there is none.
    virtual const Activation<T>* output_activation() const { return nullptr; }
    // Whether a sample's outputs depend on the other samples of its batch, in training.
    virtual bool mixes_samples() const { return false; }
    virtual std::unique_ptr<Layer> copy(Watch* watch = nullptr) const = 0;  // with a watch it may be interrupted
    // The same layer for inputs of another shape: parameters whose shape depends on it are new, weights are zeros.
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
    // Sets the lists of parameters and statistics: those of these that the layer has.
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
