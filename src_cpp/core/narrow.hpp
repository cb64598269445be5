// Prediction of narrow networks. With few units a layer, vectors along the units are short, and partly idle; so here a
// vector holds the same unit of many samples: the transposed layer y^T = f(W^T x^T + b), the same tiles with W in the
// place of x. Every sum runs in the same order as elsewhere, so the bits are the same.
#pragma once
#include "core/network.hpp"
#include "core/products.hpp"

namespace foxnn {

template <class T>
class NarrowNetwork {
  public:
    // Wider networks gain nothing: there the turning of the inputs costs more than the idle lanes. And layer
    // normalisation goes along rows.
    static bool fits(const Network<T>& network) {
        constexpr Index narrow = 64, most_classes = 16;
        if (network.n_in() > narrow) return false;
        for (const auto& layer : network.layers)
            if (layer.n_out > narrow || layer.norm.kind == NormKind::layer ||
                (layer.activation->rowwise && layer.n_out > most_classes))
                return false;
        return true;
    }
    // Samples that go through the network together.
    static Index rows() { return 2 * kernels<T>().lanes; }
    // Numbers of memory that it needs.
    static Index size(const Network<T>& network) {
        Index units = 0, widest = network.n_in();
        for (const auto& layer : network.layers) units += layer.n_out, widest = std::max(widest, layer.n_out);
        return (units + 2 * widest) * rows();
    }

    // `memory` is used as long as this object is.
    NarrowNetwork(const Network<T>& network, T* memory) : network_(network), biases_(memory) {
        T* bias = memory;
        Index widest = network.n_in();
        for (const auto& layer : network.layers) {
            for (Index unit = 0; unit < layer.n_out; unit++, bias += rows())
                std::fill_n(bias, rows(), layer.bias[unit]);
            widest = std::max(widest, layer.n_out);
        }
        a_ = bias, b_ = a_ + widest * rows();
    }

    // out (rows(), n_out) without gaps, for x (rows(), n_in), stride ldx.
    void predict(const T* x, Index ldx, T* out) const {
        const Kernels<T>& k = kernels<T>();
        const Index n = rows();
        k.transpose(x, n, network_.n_in(), ldx, a_, n);
        T *in = a_, *y = b_;
        const T* bias = biases_;
        for (const auto& layer : network_.layers) {
            for (Index panel = 0; panel < layer.panels.count; panel++) {
                const Index first = layer.panels.first_column(panel), width = layer.panels.width_of(panel);
                const T* const weights = layer.weights.data() + layer.panels.offset(panel);
                for_tiles<T>(first, std::min(layer.n_out, first + width), 2, [&](Index unit, Index units) {
                    k.tile_at[2][units](layer.n_in, weights + unit - first, width, in, n, bias + unit * n, n,
                                        y + unit * n, n);
                });
            }
            if (layer.activation->rowwise)
                layer.activation->forward_columns(y, layer.n_out);
            else
                layer.activation->forward(y, nullptr, 1, layer.n_out * n, layer.n_out * n, layer.parameters.data());
            bias += layer.n_out * n;
            std::swap(in, y);
        }
        k.transpose(in, network_.n_out(), n, n, out, network_.n_out());
    }

  private:
    const Network<T>& network_;
    T *const biases_, *a_, *b_;  // biases (units, rows()); x^T and y^T of a layer by turns
};

}  // namespace foxnn
