// The interface for programs in C++: networks that it trains have the bits of those that Python trains, whose checksums
// are in a file; what makes no sense is refused; copies go on by themselves.
//
//     test_library library_bits.txt          compares
//     test_library > library_bits.txt        writes the file anew, after a change that is meant to change results
#include <cmath>
#include <foxnn/foxnn.hpp>
#include <fstream>
#include <sstream>

#include "checksum.hpp"
#include "expect.hpp"

using foxnn::DenseLayer;
using foxnn::FitOptions;
using foxnn::NeuralNetwork;

namespace {

constexpr int kSamples = 300, kInputs = 20, kClasses = 3;

// Any numbers, which tests/test_cpp_library.py has, too.
std::vector<int> numbers(int n, int factor, int modulus) {
    std::vector<int> result(static_cast<std::size_t>(n));
    for (int i = 0; i < n; i++) result[static_cast<std::size_t>(i)] = i * factor % modulus;
    return result;
}

std::vector<double> fractions(int n, int factor, int modulus) {
    std::vector<double> result;
    for (const int number : numbers(n, factor, modulus)) result.push_back(static_cast<double>(number) / modulus);
    return result;
}

const std::vector<int> kNumbers = numbers(kSamples * kInputs, 7919, 251);
const std::vector<std::uint8_t> kPixels(kNumbers.begin(), kNumbers.end());
const std::vector<int> kLabels = numbers(kSamples, 7, kClasses);
const std::vector<double> kX = fractions(kSamples * kInputs, 37, 101), kY = fractions(kSamples * 2, 53, 97);

template <class T>
std::string bits_of(const NeuralNetwork<T>& nn, const std::vector<T>& outputs,
                    const std::vector<std::vector<const char*>>& names) {
    Checksum sum;
    for (std::size_t l = 0; l < nn.layers(); l++)
        for (const char* name : names[l]) sum.add(nn.parameter(l, name));
    sum.add(outputs);
    return sum.text();
}

std::string classification() {
    NeuralNetwork nn(kInputs,
                     {{33, "relu", 0.25, "batch_norm", "he_uniform"},
                      {17, {"elu", {{"alpha", 0.5}}}, 0, "", "he_uniform"},
                      {kClasses, "softmax", 0, "", "he_uniform"}},
                     5);
    FitOptions options;
    options.epochs = 3;
    options.learning_rate = 0.01;
    nn.fit(kPixels, kLabels, options);
    return "classification " + bits_of(nn, nn.predict(kPixels),
                                       {{"weights", "bias", "gamma", "beta", "running_mean", "running_variance"},
                                        {"weights", "bias"},
                                        {"weights", "bias"}});
}

std::string regression() {
    NeuralNetwork<double> nn(kInputs, {{40, "tanh"}, {2}}, 7, {"huber", {{"delta", 0.5}}});
    FitOptions options;
    options.epochs = 2;
    options.batch_size = 64;
    options.optimizer = {"momentum", {{"momentum", 0.75}}};
    options.shuffle = false;
    options.l2 = 0.001;
    nn.fit(kX, kY, options);
    nn.fit(kX, kY, options);
    return "regression " + bits_of(nn, nn.predict(kX), {{"weights", "bias"}, {"weights", "bias"}});
}

// ---- what else is promised -----------------------------------------------------------------------------------

template <class Call>
void expect_refused(const Call& call, const std::string& message) {
    std::string said = "nothing";
    try {
        call();
    } catch (const std::invalid_argument& error) {
        said = error.what();
    }
    expect(said == message, (message + " (it said: " + said + ")").c_str());
}

void expect_errors() {
    const auto refused_layers = [](const std::vector<DenseLayer>& layers, const char* loss,
                                   const std::string& message) {
        expect_refused([&] { NeuralNetwork<float>(4, layers, 0, loss); }, message);
    };
    refused_layers({}, "", "layers: got none; it takes at least one");
    refused_layers({{0}}, "", "units: got 0; a layer takes from 1 to 2147483647");
    refused_layers({{1, {"elu", {{"beta", 1}}}}}, "", "elu parameter: got 'beta'; it takes one of: alpha");
    refused_layers({{1, {"elu", {{"alpha", NAN}}}}}, "", "elu alpha: got nan; it takes a number in [0, inf)");
    refused_layers({{3, "softmax"}, {2}}, "",
                   "activation: got 'softmax' for a hidden layer; it takes it for the last layer only");
    refused_layers({{3, "relu", 1}, {2}}, "",
                   "dropout: got 1; it takes 0 or a number between 1 / 131072 and 1 - 1 / 131072");
    refused_layers({{3, "relu", 0, "norm"}, {2}}, "", "norm: got 'norm'; it takes one of: batch_norm, layer_norm");
    refused_layers({{3, "relu", 0, "", "best"}, {2}}, "",
                   "init: got 'best'; it takes one of: glorot_uniform, glorot_normal, he_uniform, he_normal, "
                   "he_fan_max, lecun_uniform, lecun_normal, orthogonal, zeros, foxnn");
    refused_layers(
        {{2}}, "cross_entropy",
        "loss: got 'cross_entropy' with the activation 'linear' in the last layer; it takes 'softmax' there");
    refused_layers({{1, "softmax"}}, "",
                   "activation: got 'softmax' for 1 output, which is always 1; it takes 'sigmoid', or two outputs");

    NeuralNetwork nn(kInputs, {{kClasses, "softmax"}});
    const auto before = nn.parameter(0, "weights");
    const auto refused_fit = [&](const auto& x, const auto& y, const FitOptions& options, const std::string& message) {
        expect_refused([&] { nn.fit(x, y, options); }, message);
    };
    auto x = kX;
    x[45] = NAN;
    refused_fit(x, kLabels, {}, "x of sample 2: got nan; it takes finite numbers up to 3.4e38");
    x[45] = 1e39;
    refused_fit(x, kLabels, {}, "x of sample 2: got 1e+39; it takes finite numbers up to 3.4e38");
    refused_fit(std::vector<float>(21), kLabels, {}, "x: got 21 numbers; it takes samples of 20 each");
    refused_fit(kX, numbers(299, 1, 3), {}, "y: got targets of 299 samples; it takes those of 300");
    refused_fit(kX, numbers(300, 1, 4), {}, "y: got the class 3; it takes 0 to 2");
    refused_fit(kX, std::vector<float>(900, -1), {},
                "y: got -1; it takes what the loss 'cross_entropy' takes: numbers of at least 0");
    FitOptions options;
    options.epochs = 0;
    refused_fit(kX, kLabels, options, "epochs: got 0; it takes at least 1");
    options = {};
    options.batch_size = 0;
    refused_fit(kX, kLabels, options, "batch_size: got 0; it takes a number in [1, 2.14748e+09)");
    options = {};
    options.learning_rate = -1;
    refused_fit(kX, kLabels, options, "learning_rate: got -1; it takes a number in [0, 3.40282e+38)");
    options = {};
    options.optimizer = "best";
    refused_fit(kX, kLabels, options,
                "optimizer: got 'best'; it takes one of: sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw");
    expect_refused([&] { nn.parameter(1, "bias"); }, "layer: got 1; it takes a number below 1");
    expect_refused([&] { nn.parameter(0, "gamma"); }, "name: got 'gamma'; it takes one of: weights, bias");
    expect_refused([&] { nn.set_parameter(0, "bias", {1, 2}); }, "values: got 2 numbers; it takes 3");
    expect(nn.parameter(0, "weights") == before, "what is refused changes nothing");
}

void expect_last_finite_weights() {
    NeuralNetwork nn(kInputs, {{2}});
    FitOptions options;
    options.optimizer = "sgd";
    options.learning_rate = 1e30;
    bool diverged = false;
    try {
        nn.fit(kX, kY, options);
    } catch (const foxnn::DivergenceError&) {
        diverged = true;
    }
    expect(diverged, "a training that diverges throws");
    for (const float weight : nn.parameter(0, "weights")) expect(std::isfinite(weight), "it leaves finite weights");
}

void expect_copies() {
    FitOptions options;
    options.epochs = 1;
    NeuralNetwork nn(kInputs, {{8, "relu", 0.5}, {kClasses, "softmax"}});
    nn.fit(kPixels, kLabels, options);
    NeuralNetwork copy = nn;
    expect(copy.predict(kX) == nn.predict(kX), "a copy predicts the same");
    copy.fit(kPixels, kLabels, options);
    expect(copy.predict(kX) != nn.predict(kX), "a copy is trained by itself");
    nn.fit(kPixels, kLabels, options);
    expect(copy.predict(kX) == nn.predict(kX), "a copy goes on where the other was");

    NeuralNetwork other(kInputs, {{8, "relu", 0.5}, {kClasses, "softmax"}}, 1);
    for (std::size_t l = 0; l < nn.layers(); l++)
        for (const char* name : {"weights", "bias"}) other.set_parameter(l, name, nn.parameter(l, name));
    expect(other.predict(kX) == nn.predict(kX), "a network with the same parameters predicts the same");
    other = std::move(copy);
    expect(other.inputs() == kInputs && other.outputs() == kClasses, "a network can be moved");
}

void expect_scores() {
    NeuralNetwork nn(2, {{1, "sigmoid"}}, 0, "binary_cross_entropy");
    nn.set_parameter(0, "weights", {100, 0});
    nn.set_parameter(0, "bias", {0});
    const std::vector<float> x = {-1, 0, 1, 0, 1, 1, -1, 1};
    expect(nn.evaluate(x, std::vector<int>{0, 1, 1, 1}).accuracy == 0.75, "accuracy of one output");
    expect(nn.evaluate(x, std::vector<float>{0, 1, 1, 1}).accuracy == 0.75, "and with values of 0 and 1");
    expect(std::abs(nn.evaluate(x, std::vector<int>{0, 1, 1, 1}).loss - 25) < 1e-4, "its loss");
    NeuralNetwork values(2, {{2}});
    expect(std::isnan(values.evaluate(x, x).accuracy), "no accuracy of values");
    expect(NeuralNetwork(2, {{2, "softmax"}}).evaluate(x, std::vector<float>{1, 0, 0, 1, 1, 0, 1, 0}).accuracy >= 0,
           "but of one-hot rows");
    int epochs = 0;
    FitOptions options;
    options.on_epoch_end = [&](const foxnn::EpochResult& result) { return epochs = result.epoch, epochs < 4; };
    expect(values.fit(x, x, options).size() == 4 && epochs == 4, "training ends when it is told to");
    options.on_epoch_end = [&](const foxnn::EpochResult&) { return values.fit(x, x).empty(); };
    bool refused = false;
    try {
        values.fit(x, x, options);
    } catch (const std::logic_error&) {
        refused = true;
    }
    expect(refused, "a training inside a training is refused");
    expect(values.fit(x, x).size() == 10, "and the network can be trained after that");
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) {
        std::printf("%s\n%s\n", classification().c_str(), regression().c_str());
        return EXIT_SUCCESS;
    }
    std::ifstream file(arguments[1]);
    std::stringstream recorded;
    recorded << file.rdbuf();
    const char* const set = std::getenv("FOXNN_ISA");
    if (!set || std::string(set) != "baseline")  // which has no fused multiply-adds, and other bits
        expect(recorded.str() == classification() + "\n" + regression() + "\n", "the bits of trainings from Python");
    expect_errors();
    expect_last_finite_weights();
    expect_copies();
    expect_scores();
    return exit_status();
}
