#include "core/network.hpp"

#include <atomic>
#include <shared_mutex>

namespace foxnn {

namespace {

// Reserves room for `more` items, doubling the capacity, so that appending many items one by one takes linear time.
template <class Item>
void make_room(std::vector<Item>& items, std::size_t more) {
    if (items.capacity() - items.size() < more) items.reserve(2 * items.size() + more);
}

}  // namespace

template <class T>
void Network<T>::layers_have_changed() {
    static std::atomic<std::uint64_t> latest{0};
    layout = ++latest;
    changes++;
}

// Adds the layer at place l to what is known of all layers; they have to be added in their order.
template <class T>
void Network<T>::note(const Layer<T>& layer, std::size_t l) {
    if (l == 0) mixes_samples_ = false, flops_per_sample_ = 0, widest_stride_ = padded_stride<T>(layer.n_in());
    mixes_samples_ |= layer.mixes_samples();
    flops_per_sample_ += layer.flops();
    widest_stride_ = std::max(widest_stride_, padded_stride<T>(layer.n_out()));
}

template <class T>
void Network<T>::append(std::shared_ptr<Layer<T>> layer) {
    const auto* const dense = dynamic_cast<const Dense<T>*>(layer.get());
    const bool all_dense = dense && dense_.size() == layers.size();
    make_room(layers, 1), make_room(dense_, 1), make_room(parameters_, layer->parameters().size());

    for (Parameter<T>* parameter : layer->parameters()) {  // nothing fails from here on
        parameter->number = static_cast<Index>(parameters_.size());
        parameters_.push_back(parameter);
    }
    note(*layer, layers.size());
    layers.push_back(std::move(layer));
    if (all_dense)
        dense_.push_back(dense);
    else
        dense_.clear();
    layers_have_changed();
}

template <class T>
void Network<T>::replace(std::size_t begin, std::size_t end, Layers fresh) {
    std::vector<Layer<T>*> all;
    for (std::size_t l = 0; l < begin; l++) all.push_back(layers[l].get());
    for (const auto& layer : fresh) all.push_back(layer.get());
    for (std::size_t l = end; l < layers.size(); l++) all.push_back(layers[l].get());
    std::vector<Parameter<T>*> parameters;
    std::vector<const Dense<T>*> dense;
    for (Layer<T>* layer : all) {
        parameters.insert(parameters.end(), layer->parameters().begin(), layer->parameters().end());
        if (const auto* found = dynamic_cast<const Dense<T>*>(layer)) dense.push_back(found);
    }
    if (dense.size() < all.size()) dense.clear();
    Layers next;
    next.reserve(all.size());

    for (std::size_t l = 0; l < begin; l++) next.push_back(std::move(layers[l]));  // nothing fails from here on
    for (auto& layer : fresh) next.push_back(std::move(layer));
    for (std::size_t l = end; l < layers.size(); l++) next.push_back(std::move(layers[l]));
    layers = std::move(next), parameters_ = std::move(parameters), dense_ = std::move(dense);
    for (std::size_t i = 0; i < parameters_.size(); i++) parameters_[i]->number = static_cast<Index>(i);
    for (std::size_t l = 0; l < layers.size(); l++) note(*layers[l], l);
    layers_have_changed();
}

// As replace(); the layers that follow are replaced too, as long as the shape of their inputs changes.
template <class T>
std::size_t Network<T>::put(std::size_t begin, std::size_t end, Layers fresh) {
    const std::size_t first = end;
    const Shape outputs = output_layer().output_shape();
    Shape shape = fresh.empty() ? layers[begin]->input_shape() : fresh.back()->output_shape();
    for (; end < layers.size() && layers[end]->input_shape() != shape; end++) {
        fresh.push_back(layers[end]->with_inputs(shape));
        shape = fresh.back()->output_shape();
    }
    const bool others = first == layers.size() || (end == layers.size() && shape != outputs);
    replace(begin, end, std::move(fresh));
    if (others) output_scaling = {};
    return end - first;
}

template <class T>
std::size_t Network<T>::insert(std::size_t l, std::shared_ptr<Layer<T>> layer) {
    if (l > layers.size()) throw std::out_of_range("layer: out of range");
    const bool last = l == layers.size();
    if (!layers.empty() && layer->input_shape() != (last ? output_layer().output_shape() : layers[l]->input_shape()))
        throw std::invalid_argument("layer: it takes what comes out before it");
    if (!last) return put(l, l, {std::move(layer)});
    append(std::move(layer));
    output_scaling = {};
    return 0;
}

template <class T>
std::size_t Network<T>::erase(std::size_t l) {
    if (l >= layers.size()) throw std::out_of_range("layer: out of range");
    if (layers.size() == 1) throw std::invalid_argument("layer: a network takes at least one");
    return put(l, l + 1, {});
}

template <class T>
std::unique_ptr<Network<T>> Network<T>::copy(bool folded) const {
    const std::shared_lock lock(mutex);
    Watch watch;
    return copy_locked(folded, &watch);
}

template <class T>
std::unique_ptr<Network<T>> Network<T>::copy_locked(bool folded, Watch* watch) const {
    auto other = std::make_unique<Network>();
    for (const auto& layer : layers) other->append(folded ? layer->folded() : layer->copy(watch));
    other->input_noise = input_noise, other->input_dropout = input_dropout;
    other->trained_on = trained_on.load();
    other->input_scaling = input_scaling, other->output_scaling = output_scaling;
    if (!folded) other->layout = layout;
    return other;
}

template <class T>
NetworkLoss<T> Network<T>::use_loss(const std::string& name, const std::vector<double>& parameters) const {
    const Kernels<T>& k = kernels<T>();
    const Activation<T>* const activation = output_layer().output_activation();
    const std::string output = activation ? activation->name : "linear";
    for (Index i = 0; i < k.n_losses; i++) {
        const Loss<T>& loss = k.losses[i];
        if (name != loss.name || (loss.from_logits_of && output != loss.from_logits_of)) continue;
        NetworkLoss<T> use{&loss, std::vector<T>(kMaxParameters), loss.from_logits_of != nullptr};
        for (Index p = 0; p < loss.n_parameters; p++)
            use.parameters[p] =
                static_cast<T>(p < static_cast<Index>(parameters.size()) ? parameters[p] : loss.parameters[p].value);
        for (Index p = 0; p < loss.n_parameters; p++)
            if (std::string(loss.parameters[p].name) == kLabelSmoothing) {
                const double smoothing = static_cast<double>(use.parameters[p]);
                use.kept = static_cast<T>(1 - smoothing);
                use.spread = static_cast<T>(smoothing / (loss.classes == Classes::two_each ? 2 : n_out()));
            }
        return use;
    }
    throw std::invalid_argument("unknown loss '" + name + "'");
}

template class Network<float>;
template class Network<double>;

}  // namespace foxnn
