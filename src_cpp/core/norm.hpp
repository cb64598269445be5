// Normalisation between a layer's linear part and its activation: what it learns, and what it keeps for prediction.
#pragma once
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>

#include "core/parameter.hpp"

namespace foxnn {

// Of each unit over the batch (Ioffe and Szegedy 2015), or of each sample over the layer's units (Ba et al. 2016).
enum class NormKind { batch, layer };

inline NormKind norm_kind(const std::string& name) {
    if (name == "batch_norm") return NormKind::batch;
    if (name == "layer_norm") return NormKind::layer;
    throw std::invalid_argument("unknown normalisation '" + name + "'");
}

template <class T>
struct Norm {
    const NormKind kind;
    const double momentum, epsilon;
    Parameter<T> gamma, beta;                     // (n_out,)
    Parameter<T> running_mean, running_variance;  // the same; of batches

    Norm(NormKind kind, double momentum, double epsilon, Index n_out)
        : kind(kind), momentum(momentum), epsilon(epsilon), gamma("gamma", n_out), beta("beta", n_out) {
        gamma.fill(1);
        if (kind != NormKind::batch) return;
        running_mean = Parameter<T>("running_mean", n_out), running_variance = Parameter<T>("running_variance", n_out);
        running_variance.fill(1);
    }
    std::unique_ptr<Norm> copy() const {
        std::unique_ptr<Norm> other(new Norm(kind, momentum, epsilon));
        other->gamma = gamma.copy(), other->beta = beta.copy();
        other->running_mean = running_mean.copy(), other->running_variance = running_variance.copy();
        return other;
    }

  private:
    Norm(NormKind kind, double momentum, double epsilon) : kind(kind), momentum(momentum), epsilon(epsilon) {}
};

// 1 / sqrt(variance + epsilon)
template <class T>
T inverse_deviation(T variance, double epsilon) {
    return 1 / std::sqrt(variance + static_cast<T>(epsilon));
}

}  // namespace foxnn
