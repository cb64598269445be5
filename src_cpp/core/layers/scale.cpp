#include "core/layers/scale.hpp"

#include "core/gradient_sink.hpp"

namespace foxnn {

template <class T>
Scale<T>::Scale(const Shape& shape) : Layer<T>(shape, shape), factor("factor", shape.size()) {
    factor.shape = shape.sizes();
    factor.fill(1);
    this->declare({&factor}, {});
}

template <class T>
std::unique_ptr<Layer<T>> Scale<T>::make(const Shape& inputs, const LayerSettings& settings) {
    auto layer = std::make_unique<Scale>(inputs);
    for (const auto& [setting, value] : settings) layer->set(setting, value);
    return layer;
}

template <class T>
std::unique_ptr<Layer<T>> Scale<T>::copy(Watch* watch) const {
    auto other = std::make_unique<Scale>(this->input_shape());
    other->factor = factor.copy(watch);
    other->trainable = this->trainable;
    return other;
}

template <class T>
std::unique_ptr<Layer<T>> Scale<T>::with_inputs(const Shape& shape) const {
    auto other = std::make_unique<Scale>(shape);
    other->trainable = this->trainable;
    return other;
}

template <class T>
void Scale<T>::multiply(const T* in, Index ld_in, Index rows, T* out, Index ld_out) const {
    const Index n = this->n_in(), padded = factor.panels.padded_columns();
    const T* const f = factor.data();
    for (Index r = 0; r < rows; r++, in += ld_in, out += ld_out) {
        for (Index j = 0; j < n; j++) out[j] = f[j] * in[j];
        std::fill(out + n, out + padded, T(0));
    }
}

template <class T>
void Scale<T>::predict(Inputs<T> inputs, Index rows, T* y, Index ldy, bool, const Worker& worker) const {
    multiply(inputs.x, inputs.ld, rows, y, ldy);
    worker.worked(rows);
}

namespace {

template <class T>
class ScalePass final : public Pass<T> {
  public:
    ScalePass(Scale<T>& layer, const PassOptions& options) : Pass<T>(options.rows, layer.n_out()), layer_(layer) {}

    void forward(Inputs<T> inputs, const BatchInfo& batch, const Worker& worker) override {
        forward_rows(inputs, worker.begin(batch.rows), worker.end(batch.rows), batch, worker);
    }
    bool works_by_rows() const override { return true; }
    void forward_rows(Inputs<T> inputs, Index begin, Index end, const BatchInfo&, const Worker& worker) override {
        for (Index n; begin < end; begin += n) {
            n = std::min(kRowsTogether, end - begin);
            layer_.multiply(inputs.x + begin * inputs.ld, inputs.ld, n, this->y() + begin * this->ld(), this->ld());
            worker.worked(n);
        }
    }

    void times_derivative(T*, Index, Index, Index, Index) const override {}
    void backward_input(T* d_inputs, Index ld, const Pass<T>* below, const BatchInfo& batch,
                        const GradientSink<T>& sink, T*, const Worker& worker) override {
        const Index end = worker.end(batch.rows);
        for (Index begin = worker.begin(batch.rows), n; begin < end; begin += n) {
            n = std::min(kRowsTogether, end - begin);
            T* const d = d_inputs + begin * ld;
            layer_.multiply(this->d() + begin * this->ld(), this->ld(), n, d, ld);
            if (below) below->times_derivative(d, begin, 0, n, this->padded());
            sink.worked(worker, n);
        }
    }
    // Shared by columns, so that each sum is over the rows in their order.
    bool backward_parameters(Inputs<T> inputs, const BatchInfo& batch, GradientSink<T>& sink, T* scratch,
                             const Worker& worker) override {
        Parameter<T>& factor = layer_.factor;
        const Panels<T>& panels = factor.panels;
        T* const kept = sink.kept(factor);
        bool finite = true;
        for (Index p = worker.begin(panels.count); p < worker.end(panels.count); p++) {
            const Index first = panels.first_column(p), width = panels.width_of(p),
                        columns = std::min(width, panels.columns - first);
            T* const sum = kept ? kept + first : scratch;
            if (batch.begins) std::fill_n(sum, width, T(0));
            for (Index r = 0; r < batch.rows; r++) {
                const T *const x = inputs.x + r * inputs.ld + first, *const d = this->d() + r * this->ld() + first;
                for (Index j = 0; j < columns; j++) sum[j] += d[j] * x[j];
            }
            sink.worked(worker, batch.rows);
            if (batch.ends) finite &= sink.take(factor, first, width, sum);
        }
        return finite;
    }
    Index scratch_size() const override { return layer_.factor.panels.width; }

  private:
    Scale<T>& layer_;
};

}  // namespace

template <class T>
std::unique_ptr<Pass<T>> Scale<T>::pass(const PassOptions& options) {
    return std::make_unique<ScalePass<T>>(*this, options);
}

template class Scale<float>;
template class Scale<double>;

}  // namespace foxnn
