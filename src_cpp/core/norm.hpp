// Normalisation between a layer's linear part and its activation: what it learns, and what it keeps for prediction.
#pragma once
#include <cmath>
#include <stdexcept>
#include <string>

#include "core/buffer.hpp"

namespace foxnn {

// Of each unit over the batch (Ioffe and Szegedy 2015), or of each sample over the layer's units (Ba et al. 2016).
enum class NormKind { none, batch, layer };

inline NormKind norm_kind(const std::string& name) {
    if (name == "batch_norm") return NormKind::batch;
    if (name == "layer_norm") return NormKind::layer;
    throw std::invalid_argument("unknown normalisation '" + name + "'");
}

template <class T>
struct Norm {
    NormKind kind = NormKind::none;
    double momentum = 0.1, epsilon = 1e-5;
    Buffer<T> gamma, beta;                     // (n_out,) and zeros as padding
    Buffer<T> running_mean, running_variance;  // the same; of batches

    Norm() = default;
    Norm(NormKind kind, double momentum, double epsilon, Index n_out, Index padded)
        : kind(kind), momentum(momentum), epsilon(epsilon), gamma(padded), beta(padded) {
        for (Index j = 0; j < n_out; j++) gamma[j] = 1;
        if (kind != NormKind::batch) return;
        running_mean = Buffer<T>(padded), running_variance = Buffer<T>(padded);
        for (Index j = 0; j < n_out; j++) running_variance[j] = 1;
    }
    explicit operator bool() const { return kind != NormKind::none; }
    Norm copy() const {
        Norm other;
        other.kind = kind, other.momentum = momentum, other.epsilon = epsilon;
        other.gamma = gamma.copy(), other.beta = beta.copy();
        other.running_mean = running_mean.copy(), other.running_variance = running_variance.copy();
        return other;
    }
    Buffer<T>& array(const std::string& name) {
        if (name == "gamma") return gamma;
        if (name == "beta") return beta;
        if (name == "running_mean") return running_mean;
        if (name == "running_variance") return running_variance;
        throw std::invalid_argument("unknown array '" + name + "'");
    }
};

// 1 / sqrt(variance + epsilon)
template <class T>
T inverse_deviation(T variance, double epsilon) {
    return 1 / std::sqrt(variance + static_cast<T>(epsilon));
}

}  // namespace foxnn
