// A factor for every number that comes in, which is learnt: y = factor x, of any shape.
#pragma once
#include "core/layer.hpp"

namespace foxnn {

template <class T>
class Scale final : public Layer<T> {
  public:
    Parameter<T> factor;  // ones at first

    explicit Scale(const Shape& shape);
    static std::unique_ptr<Layer<T>> make(const Shape& inputs, const LayerSettings& settings);

    const char* kind() const override { return "scale"; }
    double flops() const override { return static_cast<double>(this->n_in()); }
    std::unique_ptr<Layer<T>> copy(Watch* watch = nullptr) const override;
    std::unique_ptr<Layer<T>> with_inputs(const Shape& shape) const override;
    void predict(Inputs<T> inputs, Index rows, T* y, Index ldy, bool logits, const Worker& worker) const override;
    std::unique_ptr<Pass<T>> pass(const PassOptions& options) override;

    // out = factor in, of some rows; zeros up to whole vectors. They may be the same rows.
    void multiply(const T* in, Index ld_in, Index rows, T* out, Index ld_out) const;
};

}  // namespace foxnn
