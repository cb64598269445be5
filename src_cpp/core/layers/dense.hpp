// A dense layer: y = f(x W + b), or f(norm(x W + b)), x (n, n_in), W (n_in, n_out), b (n_out,).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/epilogue.hpp"
#include "core/products.hpp"

namespace foxnn {

// The columns of x W + b that belong to one panel of W; made once for all tiles of these columns.
template <class T>
class PanelProduct {
  public:
    PanelProduct(const Parameter<T>& weights, const Parameter<T>& bias, Index panel)
        : tile_(kernels<T>().tile[weights.panels.vectors(panel)]),
          n_in_(weights.panels.rows),
          width_(weights.panels.width_of(panel)),
          column_(weights.panels.first_column(panel)),
          weights_(weights.data() + weights.panels.offset(panel)),
          bias_(bias.data() + column_) {}
    // Of as many rows as a tile may have. y is where the first of the rows begins, the other panels' columns included.
    void operator()(Index rows, const T* x, Index ldx, T* y, Index ldy) const {
        prefetch_result(n_in_, y + column_, rows, ldy);
        tile_[rows](n_in_, x, ldx, weights_, width_, bias_, 0, y + column_, ldy);
    }

  private:
    const typename Kernels<T>::Tile* const tile_;  // by the number of rows
    const Index n_in_, width_, column_;
    const T *const weights_, *const bias_;
};

template <class T>
class Dense final : public Layer<T> {
  public:
    Parameter<T> weights, bias;
    Epilogue<T> epilogue;

    Dense(Index n_in, Index n_out, const std::string& activation, const std::vector<double>& activation_parameters);
    // Settings: units; optionally activation, dropout, max_norm, and norm with its momentum and epsilon.
    static std::unique_ptr<Layer<T>> make(const Shape& inputs, const LayerSettings& settings);
    // Only before the layer becomes part of a network, which remembers what kind of layers it has.
    void set_norm(NormKind kind, double momentum, double epsilon);

    void set(const std::string& setting, const LayerSetting& value) override;
    std::vector<Buffer<T>> initial(const std::string& init, std::uint64_t seed, std::uint32_t stream,
                                   int n_threads) const override;

    const char* kind() const override { return "dense"; }
    double flops() const override {
        return 2.0 * static_cast<double>(this->n_in()) * static_cast<double>(this->n_out());
    }
    const Activation<T>* output_activation() const override { return epilogue.activation; }
    bool mixes_samples() const override { return epilogue.has(NormKind::batch); }
    std::unique_ptr<Layer<T>> copy(Watch* watch = nullptr) const override;
    std::unique_ptr<Layer<T>> with_inputs(const Shape& shape) const override;
    // With weights and bias that include batch normalisation by the running moments.
    std::unique_ptr<Layer<T>> folded() const override;
    void predict(Inputs<T> inputs, Index rows, T* y, Index ldy, bool logits, const Worker& worker) const override;
    // The same for one row, where reading the weights takes the time: it reads each panel once. y is padded.
    void predict_row(const T* x, T* y) const;
    std::unique_ptr<Pass<T>> pass(const PassOptions& options) override;

  private:
    Dense(Parameter<T> weights, Parameter<T> bias, Epilogue<T> epilogue, bool trainable);
    void arrays_have_changed();
};

}  // namespace foxnn
