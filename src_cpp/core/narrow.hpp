// Prediction of narrow networks. With few units a layer, vectors along the units are short, and partly idle; so here a
// vector holds the same unit of many samples: the transposed layer y^T = f(W^T x^T + b), the same tiles with W in the
// place of x. Every sum runs in the same order as elsewhere, so the bits are the same.
#pragma once
#include "core/layers/dense.hpp"
#include "core/products.hpp"

namespace foxnn {

template <class T>
class NarrowNetwork {
  public:
    using Layers = std::vector<const Dense<T>*>;

    // Wider networks gain nothing: transposing the inputs would cost more than it saves. Layer normalisation needs
    // rows.
    static bool fits(const Layers& layers) {
        constexpr Index narrow = 64, most_classes = 16;
        if (layers.empty() || layers[0]->n_in() > narrow) return false;
        for (const Dense<T>* layer : layers)
            if (layer->n_out() > narrow || layer->epilogue.has(NormKind::layer) ||
                (layer->epilogue.activation->rowwise && layer->n_out() > most_classes))
                return false;
        return true;
    }
    // Samples that go through the network together.
    static Index rows() { return 2 * kernels<T>().lanes; }
    // Numbers of memory that it needs.
    static Index size(const Layers& layers) {
        Index units = 0;
        for (const Dense<T>* layer : layers) units += layer->n_out();
        return (units + 2 * widest(layers)) * rows();
    }

    // `memory` is used as long as this object is.
    NarrowNetwork(const Layers& layers, T* memory) : layers_(layers), biases_(memory) {
        T* bias = memory;
        for (const Dense<T>* layer : layers)
            for (Index unit = 0; unit < layer->n_out(); unit++, bias += rows())
                std::fill_n(bias, rows(), layer->bias.values[unit]);
        a_ = bias, b_ = a_ + widest(layers) * rows();
    }

    // out (rows(), n_out) without gaps, for x (rows(), n_in), stride ldx.
    void predict(const T* x, Index ldx, T* out) const {
        const Kernels<T>& k = kernels<T>();
        const Index n = rows(), n_out = layers_.back()->n_out();
        k.transpose(x, n, layers_[0]->n_in(), ldx, a_, n);
        T *in = a_, *y = b_;
        const T* bias = biases_;
        for (const Dense<T>* layer : layers_) {
            const Panels<T>& panels = layer->weights.panels;
            for (Index panel = 0; panel < panels.count; panel++) {
                const Index first = panels.first_column(panel), width = panels.width_of(panel);
                const T* const weights = layer->weights.data() + panels.offset(panel);
                for_tiles<T>(first, std::min(panels.columns, first + width), 2, [&](Index unit, Index units) {
                    k.tile_at[2][units](panels.rows, weights + unit - first, width, in, n, bias + unit * n, n,
                                        y + unit * n, n);
                });
            }
            const Index size = panels.columns * n;
            if (layer->epilogue.activation->rowwise)
                layer->epilogue.activation->forward_columns(y, panels.columns);
            else
                layer->epilogue.activate(y, nullptr, 1, size, size);
            bias += size;
            std::swap(in, y);
        }
        k.transpose(in, n_out, n, n, out, n_out);
    }

  private:
    static Index widest(const Layers& layers) {
        Index widest = layers[0]->n_in();
        for (const Dense<T>* layer : layers) widest = std::max(widest, layer->n_out());
        return widest;
    }

    const Layers& layers_;
    T *const biases_, *a_, *b_;  // biases (units, rows()); x^T and y^T of a layer by turns
};

}  // namespace foxnn
