// The interface for programs in C++: checks what it is given, and leads it to the core.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <shared_mutex>
#include <sstream>
#include <tuple>
#include <utility>

#include "core/initializers.hpp"
#include "core/trainer.hpp"
#include "foxnn/foxnn.hpp"

namespace foxnn {
namespace {

// ---- what is refused -----------------------------------------------------------------------------------------

template <class Got>
[[noreturn]] void refuse(const std::string& argument, const Got& got, const std::string& takes) {
    std::ostringstream text;
    text << argument << ": got " << got << "; it takes " << takes;
    throw std::invalid_argument(text.str());
}

// A number with least <= number < most, or, of an open interval, least < number.
void check(const std::string& argument, double number, double least, double most, bool open = false) {
    if (std::isfinite(number) && (open ? number > least : number >= least) && number < most) return;
    std::ostringstream takes;
    takes << "a number in " << (open ? "(" : "[") << least << ", " << most << ")";
    refuse(argument, number, takes.str());
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

[[noreturn]] void refuse_name(const std::string& argument, const std::string& name,
                              const std::vector<std::string>& names) {
    std::string takes = names.empty() ? "none" : "one of: " + names[0];
    for (std::size_t i = 1; i < names.size(); i++)
        if (names[i] != names[i - 1]) takes += ", " + names[i];  // a loss may be there twice
    refuse(argument, "'" + name + "'", takes);
}

template <class Item>
std::vector<std::string> names_of(const Item* items, Index n) {
    std::vector<std::string> names;
    for (Index i = 0; i < n; i++) names.push_back(items[i].name);
    return names;
}

// One of `items` by its name.
template <class Item>
const Item& find(const std::string& argument, const std::string& name, const Item* items, Index n) {
    for (Index i = 0; i < n; i++)
        if (name == items[i].name) return items[i];
    refuse_name(argument, name, names_of(items, n));
}

void check_name(const std::string& argument, const std::string& name, const std::vector<std::string>& names) {
    if (std::find(names.begin(), names.end(), name) == names.end()) refuse_name(argument, name, names);
}

// The values of all parameters that there are, given or by default.
std::vector<double> values_of(const Choice& choice, const Setting* declared, Index n) {
    for (const auto& [name, value] : choice.parameters)
        check_name(choice.name + " parameter", name, names_of(declared, n));
    std::vector<double> values;
    for (Index i = 0; i < n; i++) {
        const Setting& setting = declared[i];
        const auto given = choice.parameters.find(setting.name);
        values.push_back(given == choice.parameters.end() ? setting.value : given->second);
        check(choice.name + " " + setting.name, values.back(), setting.least, setting.most, setting.open);
    }
    return values;
}

// ---- layers --------------------------------------------------------------------------------------------------

void check_dropout(double rate) {  // in steps of 1 / 65536
    if (rate != 0 && !(rate * 65536 >= 0.5 && rate * 65536 < 65535.5))
        refuse("dropout", rate, "0 or a number between 1 / 131072 and 1 - 1 / 131072");
}

template <class T>
std::unique_ptr<Dense<T>> make_layer(Index n_in, const DenseLayer& description, bool last) {
    const Kernels<T>& k = kernels<T>();
    const auto& activation = find("activation", description.activation.name, k.activations, k.n_activations);
    if (activation.rowwise && !last) refuse("activation", "'softmax' for a hidden layer", "it for the last layer only");
    const auto parameters = values_of(description.activation, activation.parameters, activation.n_parameters);
    check_dropout(description.dropout);
    if (!description.norm.empty()) check_name("norm", description.norm, {"batch_norm", "layer_norm"});
    if (!description.init.empty()) check_name("init", description.init, initializer_names());
    if (last && description.dropout != 0) refuse("dropout", description.dropout, "0 for the last layer");
    auto layer = std::make_unique<Dense<T>>(n_in, description.units, activation.name, parameters);
    layer->epilogue.dropout = static_cast<T>(description.dropout);
    if (!description.norm.empty()) layer->set_norm(norm_kind(description.norm), 0.1, 1e-5);
    return layer;
}

template <class T>
void initialize_layer(Dense<T>& layer, const DenseLayer& description, std::uint64_t seed, std::size_t number) {
    const std::string init =
        description.init.empty() ? default_initializer(layer.epilogue.activation->init) : description.init;
    initialize(init, layer.weights.panels, seed, static_cast<std::uint32_t>(number), layer.weights.data(),
               layer.bias.data(), 0);
}

// What the loss makes no sense of.
template <class T>
void check_output(const Dense<T>& layer, const std::string& loss) {
    const auto& f = *layer.epilogue.activation;
    const std::vector<double> parameters(layer.epilogue.activation_parameters.begin(),
                                         layer.epilogue.activation_parameters.end());
    const Bounds bounds = f.bounds(parameters.data());
    const std::string got = "'" + loss + "' with the activation '" + f.name + "' in the last layer";
    if (f.rowwise && layer.n_out() == 1)
        refuse("activation", "'softmax' for 1 output, which is always 1", "'sigmoid', or two outputs");
    if (loss == "cross_entropy" && !f.rowwise) refuse("loss", got, "'softmax' there");
    if (loss == "binary_cross_entropy" && !(bounds.least >= 0 && bounds.most <= 1))
        refuse("loss", got, "one between 0 and 1, such as 'sigmoid'");
    if (loss == "poisson" && !(bounds.least >= 0)) refuse("loss", got, "one that is not negative, such as 'exp'");
}

// ---- data ----------------------------------------------------------------------------------------------------

// Rows of `columns` numbers, all of which a T can hold.
template <class T>
Rows rows_of(const std::string& argument, const void* data, std::size_t size, Source type, Index columns) {
    const auto n = static_cast<Index>(size);
    if (n == 0 || n % columns != 0)
        refuse(argument, std::to_string(n) + " numbers", "samples of " + std::to_string(columns) + " each");
    const auto check_all = [&](const auto* numbers) {
        for (Index i = 0; i < n; i++)
            if (!std::isfinite(static_cast<T>(numbers[i])))
                refuse(argument + " of sample " + std::to_string(i / columns), numbers[i],
                       sizeof(T) == 4 ? "finite numbers up to 3.4e38" : "finite numbers");
    };
    if (type == Source::f32) check_all(static_cast<const float*>(data));
    if (type == Source::f64) check_all(static_cast<const double*>(data));
    return {data, type, n / columns, columns, columns, 1, 0};
}

template <class T>
Rows inputs_of(const InputView& x, Index columns) {
    const Source types[] = {Source::u8, Source::f32, Source::f64};
    Rows rows = rows_of<T>("x", x.data(), x.size(), types[static_cast<int>(x.type())], columns);
    if (rows.type == Source::u8) rows.scale = 1.0 / 255;
    return rows;
}

// Samples that make sense for a network, with their labels as the core reads them.
template <class T>
struct CheckedSamples {
    Samples samples;
    std::vector<std::int64_t> labels;

    CheckedSamples(const InputView& x, const TargetView& y, const Network<T>& network, const NetworkLoss<T>& loss) {
        samples.x = inputs_of<T>(x, network.n_in());
        const void* const data = y.data();
        const Index n_out = network.n_out();
        switch (y.type()) {
            case TargetView::Type::bytes:
                take_labels(static_cast<const std::uint8_t*>(data), y.size(), n_out);
                break;
            case TargetView::Type::ints:
                take_labels(static_cast<const std::int32_t*>(data), y.size(), n_out);
                break;
            case TargetView::Type::longs:
                take_labels(static_cast<const std::int64_t*>(data), y.size(), n_out);
                break;
            case TargetView::Type::floats:
                take_values(static_cast<const float*>(data), y.size(), n_out, Source::f32, loss);
                break;
            case TargetView::Type::doubles:
                take_values(static_cast<const double*>(data), y.size(), n_out, Source::f64, loss);
                break;
        }
    }
    CheckedSamples(const CheckedSamples&) = delete;
    CheckedSamples& operator=(const CheckedSamples&) = delete;

  private:
    void check_count(Index n) const {
        if (n != samples.x.n)
            refuse("y", "targets of " + std::to_string(n) + " samples", "those of " + std::to_string(samples.x.n));
    }
    template <class Number>
    void take_labels(const Number* given, std::size_t size, Index n_out) {
        check_count(static_cast<Index>(size));
        const std::int64_t end = std::max<Index>(n_out, 2);  // one output stands for two classes
        labels.assign(given, given + size);
        for (const std::int64_t label : labels)
            if (label < 0 || label >= end)
                refuse("y", "the class " + std::to_string(label), "0 to " + std::to_string(end - 1));
        samples.labels = labels.data(), samples.label_end = end;
        samples.correct = n_out > 1 ? Correct::largest : Correct::sides;
    }
    template <class Number>
    void take_values(const Number* given, std::size_t size, Index n_out, Source type, const NetworkLoss<T>& loss) {
        samples.y = rows_of<T>("y", given, size, type, n_out);
        check_count(samples.y.n);
        const Classes classes = loss.kernel->classes;
        const bool not_negative = classes != Classes::none || std::string(loss.kernel->name) == "poisson";
        const double least = not_negative ? 0 : -kInfinity, most = classes == Classes::two_each ? 1 : kInfinity;
        bool binary = true, one_hot = n_out > 1;
        for (std::size_t i = 0; i < size; i += static_cast<std::size_t>(n_out)) {
            Index ones = 0;
            for (Index j = 0; j < n_out; j++) {
                const double value = static_cast<double>(given[i + static_cast<std::size_t>(j)]);
                if (value < least || value > most)
                    refuse("y", value,
                           std::string("what the loss '") + loss.kernel->name + "' takes: numbers of at least 0" +
                               (most == 1 ? " and at most 1" : ""));
                binary = binary && (value == 0 || value == 1);
                ones += value == 1;
            }
            one_hot = one_hot && ones == 1;
        }
        if (n_out > 1 && (classes == Classes::one_of_all || (binary && one_hot)))
            samples.correct = Correct::largest;
        else if (classes == Classes::two_each || (binary && n_out == 1))
            samples.correct = Correct::sides;
    }
};

double accuracy_of(const Samples& samples, const Totals& totals) {
    return samples.correct == Correct::not_counted ? std::nan("") : totals.correct / totals.weight;
}

}  // namespace

// ---- the network ---------------------------------------------------------------------------------------------

template <class T>
struct NeuralNetwork<T>::Implementation {
    std::unique_ptr<Network<T>> network;
    NetworkLoss<T> loss;
    std::uint64_t seed;
    int n_threads = 0;
    std::uint32_t epoch = 0;  // of all that it has been trained for
    std::unique_ptr<OptimizerState<T>> optimizer;
    Trainer<T> trainer;
    std::atomic<bool> is_training{false};

    Implementation(std::unique_ptr<Network<T>> network, NetworkLoss<T> loss, std::uint64_t seed)
        : network(std::move(network)), loss(std::move(loss)), seed(seed), trainer(*this->network, this->loss) {}

    Parameter<T>& find(std::size_t layer, const std::string& name) const {
        if (layer >= network->layers.size())
            refuse("layer", layer, "a number below " + std::to_string(network->layers.size()));
        const Layer<T>& found = *network->layers[layer];
        if (Parameter<T>* parameter = found.find(name)) return *parameter;
        std::string names;
        for (const auto* list : {&found.parameters(), &found.statistics()})
            for (const Parameter<T>* parameter : *list)
                names += (names.empty() ? "" : ", ") + std::string(parameter->name);
        refuse("name", "'" + name + "'", "one of: " + names);
    }
    // The optimizer there is goes on if it is the same; another one, which remembers nothing, takes its place.
    void use_optimizer(const Optimizer<T>& kernel, const std::vector<double>& hyper) {
        const bool same = optimizer && optimizer->kernel == &kernel &&
                          std::equal(hyper.begin(), hyper.end(), optimizer->hyper.begin());
        if (!same) optimizer = std::make_unique<OptimizerState<T>>(*network, kernel.name, hyper);
    }
    Totals train_epoch(const Samples& samples, const std::int64_t* order, RunOptions& run) {
        run.epoch = epoch, run.totals = {};
        RunResult result;
        while (result.next < samples.x.n) {  // it makes way for others who wait
            result = trainer.run(samples, order, result.next, samples.x.n, *optimizer, run);
            run.totals = result.totals;
            if (result.outcome == Outcome::finished || result.outcome == Outcome::paused) continue;
            std::ostringstream text;
            text << (result.outcome == Outcome::loss_not_finite ? "the loss is" : "an update would be")
                 << " no longer finite in epoch " << epoch << " (learning rate " << run.learning_rate
                 << "); the network has kept its last finite weights. A smaller learning rate or scaled inputs "
                    "usually help.";
            throw DivergenceError(text.str());
        }
        epoch++;
        return result.totals;
    }
};

template <class T>
NeuralNetwork<T>::NeuralNetwork(std::ptrdiff_t inputs, const std::vector<DenseLayer>& layers, std::uint64_t seed,
                                const Choice& loss) {
    if (layers.empty()) refuse("layers", "none", "at least one");
    auto network = std::make_unique<Network<T>>();
    for (const DenseLayer& description : layers) {
        const std::size_t number = network->layers.size();
        auto layer = make_layer<T>(number ? network->n_out() : inputs, description, number + 1 == layers.size());
        initialize_layer(*layer, description, seed, number);
        network->insert(number, std::move(layer));
    }
    const auto& last = static_cast<const Dense<T>&>(network->output_layer());
    const Kernels<T>& k = kernels<T>();
    const Choice by_default = last.epilogue.activation->rowwise ? "cross_entropy" : "half_squared_error";
    const Choice& chosen = loss.name.empty() ? by_default : loss;
    const Loss<T>& kernel = find("loss", chosen.name, k.losses, k.n_losses);
    check_output(last, chosen.name);
    auto use = network->use_loss(chosen.name, values_of(chosen, kernel.parameters, kernel.n_parameters));
    implementation_ = std::make_unique<Implementation>(std::move(network), std::move(use), seed);
}

template <class T>
NeuralNetwork<T>::NeuralNetwork(const NeuralNetwork& other) {
    const Implementation& from = *other.implementation_;
    std::unique_ptr<Network<T>> network;
    std::unique_ptr<OptimizerState<T>> optimizer;
    if (from.optimizer)
        std::tie(network, optimizer) = from.optimizer->copy_with(*from.network);
    else
        network = from.network->copy();
    implementation_ = std::make_unique<Implementation>(std::move(network), from.loss, from.seed);
    implementation_->optimizer = std::move(optimizer);
    implementation_->epoch = from.epoch, implementation_->n_threads = from.n_threads;
}

template <class T>
NeuralNetwork<T>::NeuralNetwork(NeuralNetwork&&) noexcept = default;
template <class T>
NeuralNetwork<T>& NeuralNetwork<T>::operator=(NeuralNetwork other) noexcept {
    implementation_ = std::move(other.implementation_);
    return *this;
}
template <class T>
NeuralNetwork<T>::~NeuralNetwork() = default;

template <class T>
std::vector<EpochResult> NeuralNetwork<T>::fit(const InputView& x, const TargetView& y, const FitOptions& options) {
    Implementation& own = *implementation_;
    if (own.is_training.exchange(true)) throw std::logic_error("fit: this network is being trained already");
    const auto done = [](std::atomic<bool>* is_training) { *is_training = false; };
    const std::unique_ptr<std::atomic<bool>, decltype(done)> training(&own.is_training, done);

    const CheckedSamples<T> data(x, y, *own.network, own.loss);
    const Samples& samples = data.samples;
    const Kernels<T>& k = kernels<T>();
    const auto& kernel = foxnn::find("optimizer", options.optimizer.name, k.optimizers, k.n_optimizers);
    const auto hyper = values_of(options.optimizer, kernel.hyper, kernel.n_hyper);
    if (options.epochs < 1) refuse("epochs", options.epochs, "at least 1");
    RunOptions run;
    run.batch_size = options.batch_size;
    run.learning_rate = options.learning_rate.value_or(kernel.learning_rate);
    run.penalty = {options.l1, options.l2};
    run.seed = own.seed;
    run.n_threads = own.n_threads;
    check("batch_size", static_cast<double>(run.batch_size), 1, static_cast<double>(kMost) + 1);
    check("learning_rate", run.learning_rate, 0, std::numeric_limits<T>::max());
    check("l1", options.l1, 0, std::numeric_limits<T>::max());
    check("l2", options.l2, 0, std::numeric_limits<T>::max());
    if (own.network->mixes_samples() && std::min(run.batch_size, samples.x.n) == 1)
        refuse("batch_size", "a batch of one sample", "at least two, for batch normalisation to compare");
    std::vector<std::int64_t> order(options.shuffle ? static_cast<std::size_t>(samples.x.n) : 0);
    own.use_optimizer(kernel, hyper);

    std::vector<EpochResult> results;
    for (int epoch = 1; epoch <= options.epochs; epoch++) {
        const auto started = std::chrono::steady_clock::now();
        if (options.shuffle) shuffled_order(own.seed, own.epoch, samples.x.n, order.data());
        const Totals totals = own.train_epoch(samples, options.shuffle ? order.data() : nullptr, run);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
        results.push_back({epoch, totals.loss / totals.weight, accuracy_of(samples, totals), took.count()});
        if (options.on_epoch_end && !options.on_epoch_end(results.back())) break;
    }
    return results;
}

template <class T>
std::vector<T> NeuralNetwork<T>::predict(const InputView& x) const {
    std::vector<T> out(x.size() / static_cast<std::size_t>(inputs()) * static_cast<std::size_t>(outputs()));
    predict(x, out.data());
    return out;
}

template <class T>
void NeuralNetwork<T>::predict(const InputView& x, T* out) const {
    const Network<T>& network = *implementation_->network;
    network.predict(inputs_of<T>(x, network.n_in()), out, implementation_->n_threads);
}

template <class T>
Score NeuralNetwork<T>::evaluate(const InputView& x, const TargetView& y) const {
    const Implementation& own = *implementation_;
    const CheckedSamples<T> data(x, y, *own.network, own.loss);
    const Totals totals = own.network->evaluate(data.samples, own.loss, own.n_threads);
    return {totals.loss / totals.weight, accuracy_of(data.samples, totals)};
}

template <class T>
std::ptrdiff_t NeuralNetwork<T>::inputs() const {
    return implementation_->network->n_in();
}
template <class T>
std::ptrdiff_t NeuralNetwork<T>::outputs() const {
    return implementation_->network->n_out();
}
template <class T>
std::size_t NeuralNetwork<T>::layers() const {
    return implementation_->network->layers.size();
}

template <class T>
std::vector<T> NeuralNetwork<T>::parameter(std::size_t layer, const std::string& name) const {
    const std::shared_lock lock(implementation_->network->mutex);
    const Parameter<T>& parameter = implementation_->find(layer, name);
    std::vector<T> values(static_cast<std::size_t>(parameter.panels.rows * parameter.panels.columns));
    parameter.panels.read(parameter.data(), values.data());
    return values;
}

template <class T>
void NeuralNetwork<T>::set_parameter(std::size_t layer, const std::string& name, const std::vector<T>& values) {
    Network<T>& network = *implementation_->network;
    const std::unique_lock lock(network.mutex);
    Parameter<T>& parameter = implementation_->find(layer, name);
    const auto size = static_cast<std::size_t>(parameter.panels.rows * parameter.panels.columns);
    if (values.size() != size) refuse("values", std::to_string(values.size()) + " numbers", std::to_string(size));
    const T least = name == "running_variance" ? T(0) : -std::numeric_limits<T>::max();
    for (const T value : values)
        if (!std::isfinite(value) || value < least)
            refuse("values", value, least == 0 ? "finite numbers of at least 0" : "finite numbers");
    parameter.panels.write(parameter.data(), values.data());
    network.changes++;
}

template <class T>
void NeuralNetwork<T>::set_n_threads(int n) {
    if (n < 0) refuse("n", n, "0, or how many");
    implementation_->n_threads = n;
}

template class NeuralNetwork<float>;
template class NeuralNetwork<double>;

}  // namespace foxnn
