// A dense layer: y = f(x W + b), or f(norm(x W + b)), x (n, n_in), W (n_in, n_out), b (n_out,).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/epilogue.hpp"
#include "core/products.hpp"

namespace foxnn {

template <class T>
class Dense final : public Layer<T> {
  public:
    Parameter<T> weights, bias;
    Epilogue<T> epilogue;

    Dense(Index n_in, Index n_out, const std::string& activation, const std::vector<double>& activation_parameters);
    // Settings: units; perhaps activation, dropout, max_norm, norm (its momentum and epsilon).
    static std::unique_ptr<Layer<T>> make(const Shape& inputs, const LayerSettings& settings);
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
    // With the running moments of batch normalisation in the weights.
    std::unique_ptr<Layer<T>> folded() const override;
    void predict(Inputs<T> inputs, Index rows, T* y, Index ldy, bool logits, const Worker& worker) const override;
    // Of one row, which is bound by the reading of the weights: each panel is streamed through once. y is padded.
    void predict_row(const T* x, T* y) const;
    std::unique_ptr<Pass<T>> pass(const PassOptions& options) override;

    // Some rows of x W + b, columns of one panel.
    void product_tile(Index panel, Index rows, const T* x, Index ldx, T* y, Index ldy) const {
        const auto& panels = weights.panels;
        const Index column = panels.first_column(panel);
        prefetch_result(panels.rows, y + column, rows, ldy);
        kernels<T>().tile[panels.vectors(panel)][rows](panels.rows, x, ldx, weights.data() + panels.offset(panel),
                                                       panels.width_of(panel), bias.data() + column, 0, y + column,
                                                       ldy);
    }

  private:
    Dense(Parameter<T> weights, Parameter<T> bias, Epilogue<T> epilogue, bool trainable);
    void arrays_have_changed();
};

}  // namespace foxnn
