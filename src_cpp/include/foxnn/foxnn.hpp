// foxnn: neural networks, trained and run on a CPU. This is the whole of its C++ interface; docs/cpp.md shows it at
// work.
//
// Nothing of the core is included: whatever flags a program is compiled with, its networks have the same bits.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "foxnn/export.hpp"

namespace foxnn {

// An activation, a loss or an optimizer: its name, and those of its parameters that are not to have their defaults, as
// in {"leaky_relu", {{"negative_slope", 0.1}}}. Where all have, the name alone will do.
struct Choice {
    std::string name;
    std::map<std::string, double> parameters;

    Choice(const char* name) : name(name) {}
    Choice(std::string name) : name(std::move(name)) {}
    Choice(std::string name, std::map<std::string, double> parameters)
        : name(std::move(name)), parameters(std::move(parameters)) {}
};

// y = dropout(f(norm(x W + b)))
struct DenseLayer {
    std::ptrdiff_t units;
    Choice activation = "linear";  // "softmax" for the last layer only
    double dropout = 0;            // the share of its outputs that training drops
    std::string norm = "";         // "batch_norm", "layer_norm" or none
    std::string init = "";         // how weights start, such as "he_normal"; by default what suits the activation
};

// Inputs that stay where they are: samples one after the other, of as many numbers each as the network has inputs.
// Bytes are pixels, and are read as x / 255.
class InputView {
  public:
    enum class Type { bytes, floats, doubles };

    InputView(const std::uint8_t* data, std::size_t size) : data_(data), size_(size), type_(Type::bytes) {}
    InputView(const float* data, std::size_t size) : data_(data), size_(size), type_(Type::floats) {}
    InputView(const double* data, std::size_t size) : data_(data), size_(size), type_(Type::doubles) {}
    template <class Number>
    InputView(const std::vector<Number>& numbers) : InputView(numbers.data(), numbers.size()) {}

    const void* data() const { return data_; }
    std::size_t size() const { return size_; }  // of all samples together
    Type type() const { return type_; }

  private:
    const void* data_;
    std::size_t size_;
    Type type_;
};

// Targets that stay where they are: integers are classes, one a sample; floats are values, as many a sample as the
// network has outputs.
class TargetView {
  public:
    enum class Type { bytes, ints, longs, floats, doubles };

    TargetView(const std::uint8_t* data, std::size_t size) : data_(data), size_(size), type_(Type::bytes) {}
    TargetView(const std::int32_t* data, std::size_t size) : data_(data), size_(size), type_(Type::ints) {}
    TargetView(const std::int64_t* data, std::size_t size) : data_(data), size_(size), type_(Type::longs) {}
    TargetView(const float* data, std::size_t size) : data_(data), size_(size), type_(Type::floats) {}
    TargetView(const double* data, std::size_t size) : data_(data), size_(size), type_(Type::doubles) {}
    template <class Number>
    TargetView(const std::vector<Number>& numbers) : TargetView(numbers.data(), numbers.size()) {}

    const void* data() const { return data_; }
    std::size_t size() const { return size_; }
    Type type() const { return type_; }

  private:
    const void* data_;
    std::size_t size_;
    Type type_;
};

// Means over samples; `accuracy` is NaN where the targets are no classes.
struct Score {
    double loss, accuracy;
};

struct EpochResult {
    int epoch;              // 1, 2, ...
    double loss, accuracy;  // of the samples as they were trained on
    double seconds;
};

struct FitOptions {
    int epochs = 10;
    std::ptrdiff_t batch_size = 32;
    Choice optimizer = "adam";
    std::optional<double> learning_rate;  // by default the optimizer's own
    bool shuffle = true;
    double l1 = 0, l2 = 0;                                 // the loss has l1 |w| + l2 w^2 / 2 for every weight w
    std::function<bool(const EpochResult&)> on_epoch_end;  // false: this was the last epoch
};

// Training diverged: a loss, or a weight, was no longer finite. The network has its last finite weights.
class FOXNN_API DivergenceError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// A network of dense layers, in float or double.
//
// Arguments that make no sense throw std::invalid_argument, which names the argument, what it got and what it takes;
// too little memory throws std::bad_alloc. The network is then as it was. Any number of threads may predict and
// evaluate at once, while one trains: they see the weights between two steps. Another training meanwhile throws
// std::logic_error.
template <class T = float>
class FOXNN_API NeuralNetwork {
  public:
    // All that is random comes from the seed: the same seed and data give the same bits, for any number of threads. By
    // default the loss is "cross_entropy" if the last layer is "softmax", and "half_squared_error" if not.
    NeuralNetwork(std::ptrdiff_t inputs, const std::vector<DenseLayer>& layers, std::uint64_t seed = 0,
                  const Choice& loss = "");
    NeuralNetwork(const NeuralNetwork& other);  // with what its optimizer remembers
    NeuralNetwork(NeuralNetwork&& other) noexcept;
    NeuralNetwork& operator=(NeuralNetwork other) noexcept;
    ~NeuralNetwork();

    // Trains for some epochs. Another call goes on: epochs count on, and the optimizer remembers what it has learnt, as
    // long as it is the same one.
    std::vector<EpochResult> fit(const InputView& x, const TargetView& y, const FitOptions& options = {});
    // The outputs, sample after sample.
    std::vector<T> predict(const InputView& x) const;
    // The same into memory of the caller's, of outputs() numbers a sample.
    void predict(const InputView& x, T* out) const;
    Score evaluate(const InputView& x, const TargetView& y) const;

    std::ptrdiff_t inputs() const;
    std::ptrdiff_t outputs() const;
    std::size_t layers() const;
    // An array of a layer by its name: "weights", (inputs, units) row by row, or "bias"; with a normalisation "gamma"
    // and "beta", and with that of batches "running_mean" and "running_variance".
    std::vector<T> parameter(std::size_t layer, const std::string& name) const;
    void set_parameter(std::size_t layer, const std::string& name, const std::vector<T>& values);
    // How many threads it uses: 0, as at first, is as many as are worth it.
    void set_n_threads(int n);

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

extern template class NeuralNetwork<float>;
extern template class NeuralNetwork<double>;

}  // namespace foxnn
