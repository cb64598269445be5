// The state of an optimizer for one network: hyper-parameters, clipping, the number of steps, and its moving averages.
#pragma once
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/network.hpp"

namespace foxnn {

template <class T>
struct OptimizerState {
    const Optimizer<T>* kernel = nullptr;
    std::vector<double> hyper;
    // Gradients are clipped to [-clip_value, clip_value], or all of them together are scaled down to the Euclidean norm
    // clip_norm (Pascanu et al. 2013); 0: they are not.
    double clip_value = 0, clip_norm = 0;
    double t = 0;              // steps taken
    std::uint64_t layout = 0;  // Network::layout of the network that it was made for

    std::vector<Buffer<T>> memory[2];  // by the parameters' numbers; none where the optimizer keeps nothing

    OptimizerState() = default;
    OptimizerState(const Network<T>& network, const std::string& name, const std::vector<double>& hyper);
    // A copy of the network and this one's, as they are between two steps. It may be interrupted.
    auto copy_with(const Network<T>& network) const {
        const std::shared_lock lock(network.mutex);
        Watch watch;
        return std::pair(network.copy_locked(false, &watch), copy(watch));
    }
    void reset();
    // Raises unless its memory goes with the layers.
    void check(const Network<T>& network) const {
        if (layout != network.layout) throw std::invalid_argument("optimizer: it was made for other layers");
    }
    // What step number t needs.
    Step<T> step(double learning_rate) const;
    // One step on the numbers [offset, offset + n) of a parameter. False if one of them has kept its value because the
    // new one would not be finite.
    bool update(Parameter<T>& parameter, Index offset, Index n, const T* gradient, const Step<T>& step) {
        const auto i = static_cast<std::size_t>(parameter.number);
        return kernel->update(parameter.data() + offset, gradient,
                              kernel->n_state > 0 ? memory[0][i].data() + offset : nullptr,
                              kernel->n_state > 1 ? memory[1][i].data() + offset : nullptr, n, step);
    }

  private:
    std::unique_ptr<OptimizerState> copy(Watch& watch) const;
};

}  // namespace foxnn
