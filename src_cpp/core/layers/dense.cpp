#include "core/layers/dense.hpp"

#include <cmath>

#include "core/gradient_sink.hpp"
#include "core/initializers.hpp"

namespace foxnn {
namespace {

Index checked_units(Index n) {
    if (n < 1 || n > kMost)
        throw std::invalid_argument("units: got " + std::to_string(n) + "; a layer takes from 1 to " +
                                    std::to_string(kMost));
    return n;
}

}  // namespace

// ---- the layer -----------------------------------------------------------------------------------------------

template <class T>
Dense<T>::Dense(Index n_in, Index n_out, const std::string& activation, const std::vector<double>& values)
    : Layer<T>({checked_units(n_in)}, {checked_units(n_out)}),
      weights("weights", n_in, n_out),
      bias("bias", n_out),
      epilogue(n_out) {
    weights.penalised = true;
    epilogue.set_activation(activation, values);
    arrays_have_changed();
}

template <class T>
Dense<T>::Dense(Parameter<T> given_weights, Parameter<T> given_bias, Epilogue<T> given_epilogue, bool trainable)
    : Layer<T>({given_weights.panels.rows}, {given_weights.panels.columns}),
      weights(std::move(given_weights)),
      bias(std::move(given_bias)),
      epilogue(std::move(given_epilogue)) {
    this->trainable = trainable;
    arrays_have_changed();
}

// Under batch normalisation a bias has no effect, and no gradient.
template <class T>
void Dense<T>::arrays_have_changed() {
    bias.has_effect = !epilogue.has(NormKind::batch);
    if (Norm<T>* const norm = epilogue.norm.get())
        this->declare({&weights, &bias, &norm->gamma, &norm->beta}, {&norm->running_mean, &norm->running_variance});
    else
        this->declare({&weights, &bias}, {});
}

template <class T>
void Dense<T>::set_norm(NormKind kind, double momentum, double epsilon) {
    epilogue.norm = std::make_unique<Norm<T>>(kind, momentum, epsilon, this->n_out());
    arrays_have_changed();
}

template <class T>
std::unique_ptr<Layer<T>> Dense<T>::make(const Shape& inputs, const LayerSettings& settings) {
    const auto units = static_cast<Index>(settings.at("units").numbers.at(0));
    auto layer = std::make_unique<Dense>(inputs.size(), units, "linear", std::vector<double>{});
    for (const auto& [setting, value] : settings)
        if (setting == "norm")
            layer->set_norm(norm_kind(value.name), value.numbers.at(0), value.numbers.at(1));
        else if (setting != "units")
            layer->set(setting, value);
    return layer;
}

template <class T>
void Dense<T>::set(const std::string& setting, const LayerSetting& value) {
    if (setting == "activation")
        epilogue.set_activation(value.name, value.numbers);
    else if (setting == "dropout")
        epilogue.dropout = static_cast<T>(value.numbers.at(0));
    else if (setting == "max_norm")
        weights.max_norm = static_cast<T>(value.numbers.at(0));
    else
        Layer<T>::set(setting, value);
}

template <class T>
std::vector<Buffer<T>> Dense<T>::initial(const std::string& init, std::uint64_t seed, std::uint32_t stream,
                                         int n_threads) const {
    std::vector<Buffer<T>> fresh;
    for (const Parameter<T>* parameter : {&weights, &bias}) fresh.emplace_back(parameter->values.size());
    initialize(init, weights.panels, seed, stream, fresh[0].data(), fresh[1].data(), n_threads);
    return fresh;
}

template <class T>
std::unique_ptr<Layer<T>> Dense<T>::copy(Watch* watch) const {
    return std::unique_ptr<Layer<T>>(new Dense(weights.copy(watch), bias.copy(), epilogue.copy(), this->trainable));
}

template <class T>
std::unique_ptr<Layer<T>> Dense<T>::with_inputs(const Shape& shape) const {
    Parameter<T> other("weights", checked_units(shape.size()), this->n_out());
    other.penalised = weights.penalised, other.max_norm = weights.max_norm;
    return std::unique_ptr<Layer<T>>(new Dense(std::move(other), bias.copy(), epilogue.copy(), this->trainable));
}

template <class T>
std::unique_ptr<Layer<T>> Dense<T>::folded() const {
    auto result = copy();
    if (!epilogue.has(NormKind::batch)) return result;
    const Norm<T>& norm = *epilogue.norm;
    auto& other = static_cast<Dense&>(*result);
    other.epilogue.norm = nullptr;
    for (Index j = 0; j < this->n_out(); j++) {
        const double factor =
            norm.gamma.values[j] / std::sqrt(static_cast<double>(norm.running_variance.values[j]) + norm.epsilon);
        other.bias.values[j] =
            static_cast<T>((bias.values[j] - norm.running_mean.values[j]) * factor + norm.beta.values[j]);
        for (Index i = 0, at; i < this->n_in(); i++)
            at = weights.panels.at(i, j), other.weights.values[at] = static_cast<T>(weights.values[at] * factor);
    }
    other.arrays_have_changed();
    return result;
}

// ---- prediction ----------------------------------------------------------------------------------------------

template <class T>
void Dense<T>::predict(Inputs<T> inputs, Index rows, T* y, Index ldy, bool logits, const Worker& worker) const {
    const auto& panels = weights.panels;
    for (Index panel = 0; panel < panels.count; panel++) {
        const PanelProduct<T> product(weights, bias, panel);
        for_tiles<T>(0, rows, panels.vectors(panel), [&](Index row, Index n) {
            T* const tile = y + row * ldy;
            product(n, inputs.x + row * inputs.ld, inputs.ld, tile, ldy);
            if (epilogue.finishes_tiles(logits))
                epilogue.activate(tile + panels.first_column(panel), nullptr, n, panels.width_of(panel), ldy);
            worker.worked(panels.rows);
        });
    }
    epilogue.finish_rows(y, rows, ldy, logits);
}

template <class T>
void Dense<T>::predict_row(const T* x, T* y) const {
    const Kernels<T>& k = kernels<T>();
    const auto& panels = weights.panels;
    const Index whole = panels.last_vectors == 2 ? panels.count : panels.count - 1, padded = panels.padded_columns();
    k.row(panels.rows, x, weights.data(), whole, bias.data(), y);
    if (whole < panels.count) {
        const Index column = panels.first_column(whole);
        k.tile[1][1](panels.rows, x, panels.rows, weights.data() + panels.offset(whole), panels.width_of(whole),
                     bias.data() + column, 0, y + column, padded);
    }
    if (epilogue.norm) epilogue.normalise_rows(y, 1, padded);
    epilogue.activate(y, nullptr, 1, epilogue.activation->rowwise ? this->n_out() : padded, padded);
}

// ---- training ------------------------------------------------------------------------------------------------

namespace {

// Samples that the weights' gradient is summed over at once, if the inputs lie row by row. A tile reads a few numbers
// of each row, so one cache line a sample; so many lines stay in the nearest cache until the next tile reads them
// again.
template <class T>
constexpr Index kRowsAtOnce = 512 / sizeof(T);

// Whether the inputs are copied into tiles. With more samples than kRowsAtOnce, the sums of each tile would have to be
// written to memory and read again for every further part of the samples. In a copy cut into tiles, the numbers that a
// tile needs of all samples lie one after the other, and one pass over all of them does. That pays if each tile of
// inputs is used for enough outputs, and as long as a panel of the outputs' gradients stays in a near cache.
template <class T>
bool worth_tiles(Index rows, Index n_out) {
    return rows > kRowsAtOnce<T> && rows <= 1024 && n_out >= 256;
}

// How far apart tiles of inputs are: a cache line more than a tile needs, since otherwise, with many a batch size, all
// tiles would begin in the same set of the cache and evict one another.
template <class T>
Index tile_stride(Index rows) {
    return rows * kernels<T>().tile_rows[2] + 64 / static_cast<Index>(sizeof(T));
}

template <class T>
class DensePass final : public Pass<T> {
  public:
    DensePass(Dense<T>& layer, const PassOptions& options)
        : Pass<T>(options.rows, layer.n_out()),
          layer_(layer),
          panels_(layer.weights.panels),
          epilogue_(layer, layer.epilogue, *this, options),
          queue_(options.number % 2 ? Queue::odd_updates : Queue::even_updates),
          is_first_(options.number == 0),
          rows_(options.rows) {
        if (!worth_tiles<T>(options.rows, layer.n_out())) return;
        const Index height = kernels<T>().tile_rows[2], tiles = (panels_.rows + height - 1) / height,
                    size = tiles * tile_stride<T>(options.rows);
        if (size > options.room_for_copies) return;
        x_tiles_ = Buffer<T>(size);
        options.room_for_copies -= size;
    }
    bool fits() const override { return epilogue_.fits(); }
    // A panel of transposed weights or of the outputs' gradients, and one of a weight gradient.
    Index scratch_size() const override { return panels_.width * (longest() + panels_.rows); }

    void forward(Inputs<T> inputs, const BatchInfo& batch, const Worker& worker) override {
        cut_into_tiles(inputs, worker.begin(batch.rows), worker.end(batch.rows), batch.rows);
        T* const products = epilogue_.products();
        for_panels(
            worker, Queue::products, batch.rows, panels_.rows, panels_,
            [&](Index panel, Index begin, Index end) { do_tiles(panel, begin, end, inputs, products, batch, worker); });
        epilogue_.finish(batch, worker);
    }
    bool works_by_rows() const override { return !layer_.epilogue.norm; }
    void forward_rows(Inputs<T> inputs, Index begin, Index end, const BatchInfo& batch, const Worker& worker) override {
        if (begin == end) return;
        cut_into_tiles(inputs, begin, end, batch.rows);
        for (Index panel = 0; panel < panels_.count; panel++)
            do_tiles(panel, begin, end, inputs, this->y(), batch, worker);
        epilogue_.finish_rows(begin, end);
    }

    void times_derivative(T* d, Index row, Index column, Index rows, Index columns) const override {
        epilogue_.times_derivative(d, row, column, rows, columns);
    }
    void begin_backward(const BatchInfo& batch, const GradientSink<T>& sink, const Worker& worker) override {
        epilogue_.begin_backward(batch, sink, worker);
    }
    void backward_input(T* d_inputs, Index ld, const Pass<T>* below, const BatchInfo& batch,
                        const GradientSink<T>& sink, T* scratch, const Worker& worker) override;
    bool backward_parameters(Inputs<T> inputs, const BatchInfo& batch, GradientSink<T>& sink, T* scratch,
                             const Worker& worker) override;
    void move_statistics(const BatchInfo& batch, const Worker& worker) override {
        epilogue_.move_statistics(batch, worker);
    }

  private:
    Index longest() const { return std::max(rows_, panels_.columns); }
    bool reads_tiles(Index rows) const { return x_tiles_.size() > 0 && worth_tiles<T>(rows, panels_.columns); }
    // Copies rows of inputs into tiles for backward_parameters(), if it reads them so.
    void cut_into_tiles(Inputs<T> inputs, Index begin, Index end, Index rows) {
        if (!reads_tiles(rows)) return;
        const Kernels<T>& k = kernels<T>();
        k.pack_tiles(inputs.x + begin * inputs.ld, end - begin, panels_.rows, inputs.ld,
                     x_tiles_.data() + begin * k.tile_rows[2], tile_stride<T>(rows));
    }
    // Computes the rows [begin, end) of a panel of products, tile by tile, each with its epilogue.
    void do_tiles(Index panel, Index begin, Index end, Inputs<T> inputs, T* products, const BatchInfo& batch,
                  const Worker& worker) {
        const PanelProduct<T> product(layer_.weights, layer_.bias, panel);
        for_tiles<T>(begin, end, panels_.vectors(panel), [&](Index row, Index n) {
            product(n, inputs.x + row * inputs.ld, inputs.ld, products + row * this->ld(), this->ld());
            epilogue_.finish_tile(panel, row, n, batch);
            worker.worked(panels_.rows);
        });
    }

    Dense<T>& layer_;
    const Panels<T>& panels_;  // of the weights
    EpiloguePass<T> epilogue_;
    const Queue queue_;
    const bool is_first_;
    const Index rows_;   // the most of a batch
    Buffer<T> x_tiles_;  // the inputs as pack_tiles() leaves them; empty where that is not worth it
};

// d_x = d W^T. Each panel of W^T is computed once, and used for all rows of the batch.
template <class T>
void DensePass<T>::backward_input(T* d_inputs, Index ld, const Pass<T>* below, const BatchInfo& batch,
                                  const GradientSink<T>& sink, T* transposed, const Worker& worker) {
    const Kernels<T>& k = kernels<T>();
    const Index n_in = panels_.rows, n_out = panels_.columns;
    const Panels<T> columns(n_out, n_in);  // of W^T
    for_panels(worker, Queue::products, batch.rows, n_out, columns, [&](Index panel, Index begin, Index end) {
        const Index width = columns.width_of(panel), first = columns.first_column(panel);
        const Index valid = std::min(width, n_in - first);
        if (valid < width) std::fill_n(transposed, n_out * width, T(0));
        for (Index p = 0; p < panels_.count; p++) {
            const Index from = panels_.first_column(p), w = panels_.width_of(p);
            k.transpose(layer_.weights.data() + panels_.offset(p) + first * w, valid, std::min(w, n_out - from), w,
                        transposed + from * width, width);
        }
        for_tiles<T>(begin, end, columns.vectors(panel), [&](Index row, Index n) {
            T* const d = d_inputs + row * ld + first;
            prefetch_result(n_out, d, n, ld);
            k.tile[columns.vectors(panel)][n](n_out, this->d() + row * this->ld(), this->ld(), transposed, width,
                                              nullptr, 0, d, ld);
            if (below) below->times_derivative(d, row, first, n, width);
            sink.worked(worker, n_out);
        });
    });
}

// The gradients of W, x^T d, and of b, the sum of d. They are computed tile by tile, and handed to the sink while they
// are in the cache; several tiles together, as the optimizer's loops would otherwise be too short. If a batch is large,
// and its inputs are not cut into tiles, all tiles are computed for some of the samples, then for the next ones, and so
// on; the sums so far are kept in memory.
template <class T>
bool DensePass<T>::backward_parameters(Inputs<T> inputs, const BatchInfo& batch, GradientSink<T>& sink, T* scratch,
                                       const Worker& worker) {
    constexpr Index near = 16 * 1024 / sizeof(T);  // numbers that the nearest cache holds beside others
    const Kernels<T>& k = kernels<T>();
    const Index n_in = panels_.rows;
    const bool in_tiles = reads_tiles(batch.rows);
    if (in_tiles) inputs = {x_tiles_.data(), k.tile_rows[2]};
    const Index ldx = inputs.ld, ldd = this->ld(), parts = (batch.rows + kRowsAtOnce<T> - 1) / kRowsAtOnce<T>;
    T *const packed = scratch, *const sums = scratch + panels_.width * longest();
    T *const kept_weights = sink.kept(layer_.weights), *const kept_bias = sink.kept(layer_.bias);
    bool finite = true;
    // Meanwhile the first layer prefetches the rows of the next batch, some with every tile.
    const Index tiles = n_in * panels_.total_vectors() / (2 * k.tile_rows[2] * worker.count);
    const Index upcoming = is_first_ ? batch.next.n : 0;
    RowsAhead rows_ahead(batch.next, worker.begin(upcoming), worker.end(upcoming), tiles);
    for_panels(worker, queue_, n_in, batch.rows, panels_, [&](Index panel, Index begin, Index end) {
        const Index width = panels_.width_of(panel), vectors = panels_.vectors(panel);
        const Index column = panels_.first_column(panel), offset = panels_.offset(panel);
        const T* d = this->d() + column;
        Index stride = ldd;
        if (batch.rows * ldd > near) {
            k.pack(d, batch.rows, width, ldd, packed);
            d = packed, stride = width;
        }
        T* const gradient = kept_weights ? kept_weights + offset : sums - begin * width;
        Index ready = begin;  // the first row of W whose gradient has not been used
        // The rows [row, row + n) of W, whose inputs' first numbers are at x; of the samples [first, first + rows).
        const auto do_tile = [&](Index row, Index n, const T* x, Index first, Index rows) {
            const bool done = batch.ends && first + rows == batch.rows;
            rows_ahead();
            sink.worked(worker, rows);
            T* const tile = gradient + row * width;
            k.tile_at[vectors][n](rows, x, ldx, d + first * stride, stride, first || !batch.begins ? tile : nullptr,
                                  width, tile, width);
            if (!done || (row + n < end && row + n - ready < near / width)) return;
            finite &=
                sink.take(layer_.weights, offset + ready * width, (row + n - ready) * width, gradient + ready * width);
            ready = row + n;
        };
        if (in_tiles)  // pieces begin with a tile
            for (Index row = begin; row < end; row += ldx)
                do_tile(row, std::min(ldx, end - row), inputs.x + row / ldx * tile_stride<T>(batch.rows), 0,
                        batch.rows);
        else
            for (Index part = 0; part < parts; part++) {
                const Index first = batch.rows * part / parts, rows = batch.rows * (part + 1) / parts - first;
                for_tiles<T>(begin, end, vectors,
                             [&](Index row, Index n) { do_tile(row, n, inputs.x + first * ldx + row, first, rows); });
            }
        if (begin == 0) {  // the worker that has a panel's first rows also does the bias, gamma and beta of its columns
            if (layer_.learns(layer_.bias)) {
                T* const bias = kept_bias ? kept_bias + column : sums;
                k.column_sums(d, batch.rows, width, stride, !batch.begins, bias);
                if (batch.ends) finite &= sink.take(layer_.bias, column, width, bias);
            }
            if (batch.ends) finite &= epilogue_.use_gradients(panel, sink);
        }
    });
    return finite;
}

}  // namespace

template <class T>
std::unique_ptr<Pass<T>> Dense<T>::pass(const PassOptions& options) {
    return std::make_unique<DensePass<T>>(*this, options);
}

template class Dense<float>;
template class Dense<double>;

}  // namespace foxnn
