// The same bits on every processor with fused multiply-adds: checksums of networks after training, against those in a
// file. Between them they have all activations, losses and optimizers, both normalisations, every regularisation, both
// number types, and 1 to 3 threads.
//
//     test_bits bits.txt             compares
//     test_bits > bits.txt           writes the file anew, after a change that is meant to change results
#include <cstdlib>
#include <fstream>

#include "checksum.hpp"
#include "core/random.hpp"
#include "core/trainer.hpp"

using namespace foxnn;

namespace {

constexpr int kNetworks = 149, kSkipped = 77;  // the latter is what ctest is told of sets without fused multiply-adds

// Wide layers in large batches, whose inputs are cut into tiles.
bool is_large(int number) { return number >= 120 && number < 128; }

// Tiny inputs, half of them zero, tiny weights and a penalty, over hundreds of steps: gradients, moments and weights
// that come close to the denormal numbers.
bool is_tiny(int number) { return number >= 128; }
template <class T>
constexpr double kTiny = sizeof(T) == 4 ? 0x1p-70 : 0x1p-500;

// The same whatever libraries there are: nothing but multiplications and additions, for numbers of few digits.
double simple(Stream& random, double low, double high) {
    return low + (high - low) * (static_cast<double>(random.below(4096)) / 4096);
}

std::vector<double> numbers(Stream& random, Index n, double low, double high) {
    std::vector<double> values(static_cast<std::size_t>(n));
    for (double& value : values) value = simple(random, low, high);
    return values;
}

// The hidden activations, losses and optimizers go round; all else is drawn.
template <class T>
void fill(Network<T>& network, int number, const Loss<T>& loss, Stream& random) {
    const Kernels<T>& k = kernels<T>();
    Index n_in = 1 + random.below(60);
    const Index hidden = random.below(4);
    for (Index l = 0; l <= hidden; l++) {
        const bool last = l == hidden;
        const Index n_out = 1 + random.below(last ? 12 : 70) + (is_large(number) && !last ? 256 : 0);
        const Activation<T>* activation = &k.activations[(number + l) % k.n_activations];
        std::string name = activation->rowwise ? "tanh" : activation->name;
        if (last) name = loss.from_logits_of ? loss.from_logits_of : "sigmoid";
        auto layer = std::make_unique<Dense<T>>(n_in, n_out, name, std::vector<double>{});
        const double spread = 1.5 / static_cast<double>(n_in) * (is_tiny(number) && l == 0 ? kTiny<T> : 1);
        layer->weights.panels.write(layer->weights.data(), numbers(random, n_in * n_out, -spread, spread).data());
        if (!last) {
            if (random.below(3) == 0) layer->epilogue.dropout = T(0.25);
            if (random.below(4) == 0) layer->set_norm(NormKind::batch, 0.1, 1e-5);
            if (random.below(4) == 0) layer->set_norm(NormKind::layer, 0.1, 1e-5);
        }
        if (random.below(5) == 0) layer->weights.max_norm = T(0.75);
        if (random.below(9) == 0) layer->trainable = false;
        network.insert(network.layers.size(), std::move(layer));
        n_in = n_out;
    }
    if (random.below(6) == 0) network.input_noise = T(0.125);
    if (random.below(6) == 0) network.input_dropout = T(0.125);
}

template <class T>
std::string trained(int number) {
    Stream random(static_cast<std::uint64_t>(number), Purpose::weights, 0);
    const Kernels<T>& k = kernels<T>();
    const Loss<T>& loss = k.losses[number % k.n_losses];
    Network<T> network;
    fill(network, number, loss, random);

    const Index n = 150, n_in = network.n_in(), n_out = network.n_out();
    std::vector<double> x = numbers(random, n * n_in, -1, 1);
    if (is_tiny(number))
        for (std::size_t i = 0; i < x.size(); i++) x[i] *= i % 2 ? 0 : kTiny<T>;
    const std::vector<double> y = numbers(random, n * n_out, 0, 1), weights = numbers(random, n, 0.25, 2);
    std::vector<std::int64_t> labels, order(static_cast<std::size_t>(n));
    for (Index i = 0; i < n; i++) labels.push_back(random.below(static_cast<std::uint32_t>(n_out)));
    Samples samples;
    samples.x = {x.data(), Source::f64, n, n_in, n_in, 1, 0};
    if (loss.classes == Classes::one_of_all && n_out > 1 && random.below(2))
        samples.labels = labels.data(), samples.label_end = n_out;
    else
        samples.y = {y.data(), Source::f64, n, n_out, n_out, 1, 0};
    if (random.below(3) == 0) samples.weights = weights.data();

    const Optimizer<T>& kind = k.optimizers[number % k.n_optimizers];
    std::vector<double> hyper;
    for (Index i = 0; i < kind.n_hyper; i++) hyper.push_back(kind.hyper[i].value);
    OptimizerState<T> optimizer(network, kind.name, hyper);
    if (random.below(4) == 0) optimizer.clip_norm = 0.5;
    if (random.below(4) == 0) optimizer.clip_value = 0.125;
    RunOptions options;
    options.batch_size = 2 + random.below(90) + (is_large(number) ? 130 : 0);
    options.learning_rate = kind.learning_rate;
    if (random.below(3) == 0) options.penalty = {0.001, 0.01};
    if (is_tiny(number)) options.penalty = {0, 0.01};
    options.n_threads = 1 + number % 3;
    options.seed = static_cast<std::uint64_t>(number);

    Trainer<T> trainer(network, network.use_loss(loss.name, {}));
    Checksum sum;
    for (options.epoch = 0; options.epoch < (is_tiny(number) ? 60u : 3u); options.epoch++) {
        shuffled_order(options.seed, options.epoch, n, order.data());
        const RunResult result = trainer.run(samples, order.data(), 0, n, optimizer, options);
        if (result.outcome != Outcome::finished) return "did not finish";
        sum.add(&result.totals.loss, sizeof result.totals.loss);
    }
    for (const auto& layer : network.layers)
        for (const char* name : {"weights", "bias"}) {
            const Parameter<T>& parameter = *layer->find(name);
            std::vector<T> array(static_cast<std::size_t>(parameter.panels.rows * parameter.panels.columns));
            parameter.panels.read(parameter.data(), array.data());
            sum.add(array);
        }
    std::vector<T> outputs(static_cast<std::size_t>(n * n_out));
    network.predict(samples.x, outputs.data(), options.n_threads);
    sum.add(outputs);
    return sum.text();
}

std::string line(int number) {
    const bool wide = number / 2 % 2;
    return std::to_string(number) + (wide ? " float64 " : " float32 ") +
           (wide ? trained<double>(number) : trained<float>(number));
}

}  // namespace

int main(int count, char** arguments) {
    if (!instruction_set().fused) return std::printf("%s has none\n", instruction_set().name), kSkipped;
    if (count < 2) {
        for (int i = 0; i < kNetworks; i++) std::puts(line(i).c_str());
        return EXIT_SUCCESS;
    }
    std::ifstream file(arguments[1]);
    int different = 0;
    for (int i = 0; i < kNetworks; i++) {
        std::string expected;
        const std::string found = line(i);
        if (!std::getline(file, expected) || expected != found)
            std::printf("got %s in place of %s\n", found.c_str(), expected.c_str()), different++;
    }
    std::printf("%s: %d of %d networks differ\n", instruction_set().name, different, kNetworks);
    return different ? EXIT_FAILURE : EXIT_SUCCESS;
}
