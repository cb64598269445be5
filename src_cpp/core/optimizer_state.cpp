#include "core/optimizer_state.hpp"

namespace foxnn {

template <class T>
OptimizerState<T>::OptimizerState(const Network<T>& network, const std::string& name, const std::vector<double>& values)
    : hyper(kMaxHyper), layout(network.layout) {
    const Kernels<T>& k = kernels<T>();
    for (Index i = 0; i < k.n_optimizers; i++)
        if (name == k.optimizers[i].name) kernel = &k.optimizers[i];
    if (!kernel) throw std::invalid_argument("unknown optimizer '" + name + "'");
    for (Index i = 0; i < kernel->n_hyper; i++)
        hyper[i] = i < static_cast<Index>(values.size()) ? values[i] : kernel->hyper[i].value;
    for (Index s = 0; s < kernel->n_state; s++)
        for (const Parameter<T>* parameter : network.parameters()) memory[s].emplace_back(parameter->values.size());
}

template <class T>
std::unique_ptr<OptimizerState<T>> OptimizerState<T>::copy(Watch& watch) const {
    auto result = std::make_unique<OptimizerState>();
    OptimizerState& other = *result;
    other.kernel = kernel;
    other.hyper = hyper;
    other.clip_value = clip_value, other.clip_norm = clip_norm;
    other.t = t, other.layout = layout;
    for (Index s = 0; s < kernel->n_state; s++)
        for (const Buffer<T>& array : memory[s]) other.memory[s].push_back(array.copy(&watch));
    return result;
}

template <class T>
void OptimizerState<T>::reset() {
    t = 0;
    for (auto& arrays : memory)
        for (Buffer<T>& array : arrays) array.fill_zero();
}

template <class T>
Step<T> OptimizerState<T>::step(double learning_rate) const {
    Step<T> step;
    step.clip = static_cast<T>(clip_value);
    kernel->coefficients(hyper.data(), learning_rate, t, step.c);
    return step;
}

template struct OptimizerState<float>;
template struct OptimizerState<double>;

}  // namespace foxnn
