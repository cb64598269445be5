#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "core/denormals.hpp"
#include "core/products.hpp"
#include "core/random.hpp"
#include "core/threads.hpp"
#include "core/trainer_job.hpp"

namespace foxnn {

// ---- one run of batches --------------------------------------------------------------------------------------

// What the penalty adds to the loss. Summed up unit by unit, which is the same order however wide the panels are.
template <class T>
double penalty_of(const Network<T>& network, const Penalty& penalty) {
    if (penalty.l1 == 0 && penalty.l2 == 0) return 0;
    double absolute = 0, squares = 0;
    Watch watch;
    for (const auto& layer : network.layers)
        for (Index j = 0; j < layer.n_out; j++) {
            double absolute_of_unit = 0, squares_of_unit = 0;
            const T* w = layer.weights.data() + layer.panels.at(0, j);
            const Index stride = layer.panels.width_of(j / layer.panels.width);
            for (Index i = 0; i < layer.n_in; i++, w += stride) {
                const double v = static_cast<double>(*w);
                absolute_of_unit += std::abs(v), squares_of_unit += v * v;
            }
            absolute += absolute_of_unit, squares += squares_of_unit;
            watch.worked(layer.n_in);
        }
    return penalty.l1 * absolute + penalty.l2 / 2 * squares;
}

// Samples that the weights' gradient goes through at once where the layer's inputs lie row by row: so many lines, of
// which a tile reads a few numbers each, stay in the nearest cache for the next tile.
template <class T>
constexpr Index kRowsAtOnce = 512 / sizeof(T);

// With more of them, the sums of tiles would have to wait in memory for the next part of the batch. They need not if
// the inputs themselves have been cut into tiles, so that all samples are read one after the other. That pays if every
// tile serves enough outputs, and if a panel of the outputs' gradients stays in a near cache.
template <class T>
bool worth_tiles(Index rows, Index n_out) {
    return rows > kRowsAtOnce<T> && rows <= 1024 && n_out >= 256;
}

// Numbers from one tile to the next: a line more than it has, or tiles of many a batch size would all begin in the same
// set of the cache.
template <class T>
Index tile_stride(Index rows) {
    return rows * kernels<T>().tile_rows[2] + 64 / static_cast<Index>(sizeof(T));
}

template <class T>
void Trainer<T>::check_range(const Samples& samples, const std::int64_t* order, Index begin, Index end) const {
    if (begin < 0 || begin > end || (!order && end > samples.x.n))
        throw std::out_of_range("samples: got " + std::to_string(begin) + " to " + std::to_string(end) +
                                ", of which there are " + std::to_string(samples.x.n));
}

// Of the batch that begins there. All workers come to the same.
template <class T>
void Trainer<T>::check_order(const Job& job, Index first) const {
    if (!job.order) return;
    const std::int64_t *const order = job.order + first, rows = job.batch_rows(first);
    if (!std::all_of(order, order + rows, [n = job.samples.x.n](std::int64_t i) { return i >= 0 && i < n; }))
        throw std::out_of_range("order: it takes numbers of samples, of which there are " +
                                std::to_string(job.samples.x.n));
}

template <class T>
bool keeps_slope(const Dense<T>& layer) {
    return !layer.activation->slope_from_output || layer.dropout > 0;
}

template <class T>
typename Trainer<T>::LayerMemory Trainer<T>::memory_of(std::size_t l, Index rows, Index& room_for_tiles) const {
    const Dense<T>& layer = network_.layers[l];
    LayerMemory memory;
    memory.ld = padded_stride<T>(layer.n_out);
    const Index size = product(rows, memory.ld);
    memory.y = Buffer<T>(size);
    memory.d = Buffer<T>(size);
    if (keeps_slope(layer)) memory.slope = Buffer<T>(size);
    if (worth_tiles<T>(rows, layer.n_out)) {
        const Index height = kernels<T>().tile_rows[2], tiles = (layer.n_in + height - 1) / height,
                    in_tiles = tiles * tile_stride<T>(rows);
        if (in_tiles <= room_for_tiles) {
            memory.x_tiles = Buffer<T>(in_tiles);
            room_for_tiles -= in_tiles;
        }
    }
    if (layer.norm) {
        memory.normal = Buffer<T>(size);
        memory.inverse = Buffer<T>(std::max(rows, memory.ld));
        for (Buffer<T>* array : {&memory.mean, &memory.variance, &memory.d_gamma, &memory.d_beta})
            *array = Buffer<T>(memory.ld);
    }
    return memory;
}

// Whether there is memory for so many rows, and neither layers nor activations have been changed since.
template <class T>
bool Trainer<T>::fits(Index rows) const {
    if (layout_ != network_.layout || rows > allocated_rows_) return false;
    for (std::size_t l = 0; l < layers_.size(); l++)
        if (keeps_slope(network_.layers[l]) != (layers_[l].slope.size() > 0)) return false;
    return true;
}

// If there is too little memory, all is as it was.
template <class T>
void Trainer<T>::allocate(Index rows, int workers) {
    if (rows > kMost)
        throw std::invalid_argument("batch: got " + std::to_string(rows) + " rows; it takes at most " +
                                    std::to_string(kMost));
    Index longest = rows, tallest = 0;
    for (const auto& layer : network_.layers)
        longest = std::max(longest, layer.n_out), tallest = std::max(tallest, layer.n_in);
    const Index panel = 2 * kernels<T>().lanes;
    workers_.resize(std::max<std::size_t>(workers_.size(), static_cast<std::size_t>(workers)));
    for (auto& memory : workers_) {
        memory.panel.grow(panel * longest);
        memory.sums.grow(panel * tallest);
    }
    if (fits(rows)) return;

    rows = std::max(rows, allocated_rows_);
    std::vector<LayerMemory> layers;
    layers.reserve(network_.layers.size());
    Index room_for_tiles = (Index(8) << 20) / static_cast<Index>(sizeof(T));  // part of the farthest cache
    for (std::size_t l = 0; l < network_.layers.size(); l++) layers.push_back(memory_of(l, rows, room_for_tiles));
    const Index ld_x = padded_stride<T>(network_.n_in()), ld_t = padded_stride<T>(network_.n_out());
    Batch batches[2];
    for (Batch& batch : batches) {
        batch.x = Buffer<T>(product(rows, ld_x));
        batch.targets = Buffer<T>(product(rows, ld_t));
        batch.weights = Buffer<T>(rows);
        batch.samples = Buffer<std::int64_t>(rows);
    }
    Buffer<T> row_loss(rows);

    layers_ = std::move(layers);  // nothing fails from here on
    std::move(std::begin(batches), std::end(batches), batches_);
    row_loss_ = std::move(row_loss);
    ld_x_ = ld_x, ld_t_ = ld_t, allocated_rows_ = rows, layout_ = network_.layout;
}

template <class T>
void Trainer<T>::gather(const Job& job, Batch& batch, Index first, const Worker& worker) const {
    check_order(job, first);
    const Index rows = job.batch_rows(first), n_out = network_.n_out();
    const Samples samples = job.samples;  // a copy, which no store below can change: it need not be loaded every time
    const auto sample = job.samples_from(first);
    double weight = static_cast<double>(rows);
    if (samples.weights) {  // summed in order by each worker for itself, so that all have the same bits
        weight = 0;
        for (Index r = 0; r < rows; r++) weight += samples.weight(sample(r));
    }
    if (worker.id == 0) batch.first = first, batch.rows = rows;
    const double share = job.options.sum ? 1 : weight > 0 ? 1 / weight : 0;
    const auto number = [&](Index r) { return samples.number(sample(r)); };
    T *const x = batch.x.data(), *const t = batch.targets.data();
    // One kind of thing after the other: of the samples, which lie all over the memory, several are then on their way.
    // Of very many, some at a time.
    const Index at_once = 1 + (Index(1) << 19) / (samples.x.columns + n_out), last = worker.end(rows);
    for (Index begin = worker.begin(rows), end; begin < last; begin = end) {
        end = std::min(begin + at_once, last);
        if (samples.x.template is_plain<T>() && network_.input_scaling.empty())
            for (Index r = begin; r < end; r++)
                copy_row(static_cast<const T*>(samples.x.row(sample(r))), samples.x.columns, x + r * ld_x_);
        else
            for (Index r = begin; r < end; r++) samples.x.read(sample(r), x + r * ld_x_, network_.input_scaling);
        if (job.options.random && (network_.input_noise > 0 || network_.input_dropout > 0))
            for (Index r = begin; r < end; r++) add_input_noise(job.options, x + r * ld_x_, number(r));
        if (loss_.kernel)
            for (Index r = begin; r < end; r++)
                loss_.read_target(samples, sample(r), n_out, t + r * ld_t_, network_.output_scaling);
        for (Index r = begin; r < end; r++) {
            batch.samples[r] = number(r);
            batch.weights[r] = static_cast<T>(samples.weight(sample(r)) * share);
        }
        worker.worked((end - begin) * (samples.x.columns + n_out) / 8);
    }
}

template <class T>
void Trainer<T>::add_input_noise(const RunOptions& options, T* x, std::int64_t sample) const {
    const Kernels<T>& k = kernels<T>();
    const Index n = network_.n_in();
    if (network_.input_noise > 0)
        k.add_noise(x, n, network_.input_noise, options.seed, options.epoch, static_cast<std::uint32_t>(sample));
    if (network_.input_dropout == 0) return;
    const DropoutMask mask(options.seed, options.epoch, kInputs, network_.input_dropout);
    const Index padded = (n + k.lanes - 1) / k.lanes * k.lanes;
    constexpr Index width = 512;  // what the kernel takes at once
    for (Index column = 0; column < padded; column += width)
        k.dropout(x + column, nullptr, 1, std::min(width, padded - column), 0, column, mask, &sample);
}

template <class T>
void Trainer<T>::forward(Job& job, const Batch& batch, const Worker& worker) {
    for (std::size_t l = 0; l < layers_.size(); l++) {
        const Inputs inputs = inputs_of(l, batch);
        cut_into_tiles(l, batch, worker);
        if (l + 1 == layers_.size()) return output_layer(job, batch, inputs.x, inputs.ld, worker);
        hidden_layer(job, l, batch, inputs.x, inputs.ld, worker);
        worker.barrier();
    }
}

template <class T>
typename Trainer<T>::Inputs Trainer<T>::inputs_of(std::size_t l, const Batch& batch) const {
    return l ? Inputs{layers_[l - 1].y.data(), layers_[l - 1].ld} : Inputs{batch.x.data(), ld_x_};
}

template <class T>
bool Trainer<T>::reads_tiles(std::size_t l, Index rows) const {
    return layers_[l].x_tiles.size() > 0 && worth_tiles<T>(rows, network_.layers[l].n_out);
}

// Leaves a layer's inputs as weight_gradient() reads them, each worker some rows.
template <class T>
void Trainer<T>::cut_into_tiles(std::size_t l, const Batch& batch, const Worker& worker) {
    if (!reads_tiles(l, batch.rows)) return;
    const Kernels<T>& k = kernels<T>();
    const Inputs inputs = inputs_of(l, batch);
    const Index begin = worker.begin(batch.rows), end = worker.end(batch.rows);
    k.pack_tiles(inputs.x + begin * inputs.ld, end - begin, network_.layers[l].n_in, inputs.ld,
                 layers_[l].x_tiles.data() + begin * k.tile_rows[2], tile_stride<T>(batch.rows));
}

template <class T>
void Trainer<T>::hidden_layer(const Job& job, std::size_t l, const Batch& batch, const T* x, Index ldx,
                              const Worker& worker) {
    const Dense<T>& layer = network_.layers[l];
    if (layer.norm) return normalised_layer(job, l, batch, x, ldx, worker);
    LayerMemory& memory = layers_[l];
    const Index ld = memory.ld;
    for_panels(worker, Queue::products, batch.rows, layer.n_in, layer.panels, [&](Index panel, Index begin, Index end) {
        for_tiles<T>(begin, end, layer.panels.vectors(panel), [&](Index row, Index n) {
            T* const y = memory.y.data() + row * ld;
            T* const slope = memory.slope.size() ? memory.slope.data() + row * ld : nullptr;
            forward_tile(layer, panel, n, x + row * ldx, ldx, y, slope, ld, false);
            if (layer.dropout > 0) drop(job, l, batch, panel, row, n);
            worker.worked(layer.n_in);
        });
    });
}

// Dropout of the rows [row, row + n) of one panel. Outputs that were dropped no longer tell their slope, so it is kept,
// and dropped as well.
template <class T>
void Trainer<T>::drop(const Job& job, std::size_t l, const Batch& batch, Index panel, Index row, Index n) {
    const Dense<T>& layer = network_.layers[l];
    const Index column = layer.panels.first_column(panel), width = layer.panels.width_of(panel), ld = layers_[l].ld;
    T *const y = layers_[l].y.data() + row * ld + column, *const slope = layers_[l].slope.data() + row * ld + column;
    if (layer.activation->slope_from_output) {
        for (Index r = 0; r < n; r++) std::fill_n(slope + r * ld, width, T(1));
        layer.activation->backward(slope, y, n, width, ld, layer.parameters.data());
    }
    if (!job.options.random) return;
    const DropoutMask mask(job.options.seed, job.options.epoch, static_cast<std::uint32_t>(l), layer.dropout);
    kernels<T>().dropout(y, slope, n, width, ld, column, mask, batch.samples.data() + row);
}

// The last layer is shared by rows, so that each worker can go on to the loss of its rows without waiting.
template <class T>
void Trainer<T>::output_layer(Job& job, const Batch& batch, const T* x, Index ldx, const Worker& worker) {
    const Dense<T>& layer = network_.layers.back();
    LayerMemory& memory = layers_.back();
    const Index ld = memory.ld, last = worker.end(batch.rows);
    T *const y = memory.y.data(), *const slope = memory.slope.size() ? memory.slope.data() : nullptr;
    for (Index begin = worker.begin(batch.rows), n; begin < last; begin += n) {
        n = std::min(kRowsTogether, last - begin);
        forward_rows(worker, layer, begin, begin + n, x, ldx, y, slope, ld, loss_.from_logits);
        worker.worked(n);
        if (!loss_.kernel) continue;
        T *const d = memory.d.data() + begin * ld, *const loss = row_loss_.data() + begin;
        loss_.kernel->rows(y + begin * ld, batch.targets.data() + begin * ld_t_, batch.weights.data() + begin, d, loss,
                           n, layer.n_out, ld, ld_t_, loss_.parameters.data());
        if (!loss_.from_logits) {
            const Index columns = layer.activation->rowwise ? layer.n_out : layer.panels.padded_columns();
            times_slope(layer, d, memory, begin, 0, n, columns);
        }
        for (Index r = 0; r < n; r++)
            if (!(loss[r] - loss[r] == 0) && batch.weights[begin + r] != 0)
                job.loss_spoilt.store(true, std::memory_order_relaxed);
    }
}

// d (rows, columns), a part of the gradient of a layer's outputs that begins at that row and column, *= f'(z).
template <class T>
void Trainer<T>::times_slope(const Dense<T>& layer, T* d, const LayerMemory& memory, Index row, Index column,
                             Index rows, Index columns) {
    const Index at = row * memory.ld + column;
    if (memory.slope.size())
        kernels<T>().multiply(d, memory.slope.data() + at, rows, columns, memory.ld);
    else
        layer.activation->backward(d, memory.y.data() + at, rows, columns, memory.ld, layer.parameters.data());
}

// d of layer l - 1 = (d of layer l) W^T, times the derivative of layer l - 1's activation; for l = 0 that of the
// inputs. The transposed panels of W are made on the way: each serves all rows of the batch.
template <class T>
void Trainer<T>::input_gradient(const Job& job, std::size_t l, Index rows, const Worker& worker) {
    const Kernels<T>& k = kernels<T>();
    const Dense<T>& layer = network_.layers[l];
    const LayerMemory& above = layers_[l];
    T* const below = l ? layers_[l - 1].d.data() : d_x_.data();
    const Index ld_below = l ? layers_[l - 1].ld : ld_x_;
    const Panels<T> columns(layer.n_out, layer.n_in);  // of W^T
    T* const transposed = workers_[worker.id].panel.data();
    for_panels(worker, Queue::products, rows, layer.n_out, columns, [&](Index panel, Index begin, Index end) {
        const Index width = columns.width_of(panel), first = columns.first_column(panel);
        const Index valid = std::min(width, layer.n_in - first);
        if (valid < width) std::fill_n(transposed, layer.n_out * width, T(0));
        for (Index p = 0; p < layer.panels.count; p++) {
            const Index from = layer.panels.first_column(p), w = layer.panels.width_of(p);
            k.transpose(layer.weights.data() + layer.panels.offset(p) + first * w, valid,
                        std::min(w, layer.n_out - from), w, transposed + from * width, width);
        }
        for_tiles<T>(begin, end, columns.vectors(panel), [&](Index row, Index n) {
            T* const d = below + row * ld_below + first;
            prefetch_result(layer.n_out, d, n, ld_below);
            k.tile[columns.vectors(panel)][n](layer.n_out, above.d.data() + row * above.ld, above.ld, transposed, width,
                                              nullptr, 0, d, ld_below);
            if (l > 0) times_slope(network_.layers[l - 1], d, layers_[l - 1], row, first, n, width);
            job.worked(worker, layer.n_out);
        });
    });
}

// What becomes of a gradient that is ready, of the numbers [offset, offset + n) of an array: the optimizer makes a step
// with it, or it stays stored, with the penalty's part in it unless the optimizer is going to add that.
template <class T>
bool Trainer<T>::use_gradient(const Job& job, std::size_t l, Part part, Index offset, Index n, T* gradient) {
    Dense<T>& layer = network_.layers[l];
    if (!job.gradients) return job.optimizer->update(layer, l, part, offset, n, gradient, job.step_of(part));
    const Penalty& penalty = job.options.penalty;
    const bool added_later = job.waits() && job.optimizer->clip_norm == 0;
    if (part == Part::weights && !added_later && (penalty.l1 != 0 || penalty.l2 != 0))
        kernels<T>().penalise(gradient, layer.weights.data() + offset, n, static_cast<T>(penalty.l1),
                              static_cast<T>(penalty.l2));
    return true;
}

// The gradients of gamma and beta, which norm_gradient() has left.
template <class T>
bool Trainer<T>::use_norm_gradient(const Job& job, std::size_t l, Index column, Index width) {
    bool finite = true;
    for (const Part part : {Part::gamma, Part::beta}) {
        T* gradient = (part == Part::gamma ? layers_[l].d_gamma : layers_[l].d_beta).data() + column;
        if (job.gradients) std::copy_n(gradient, width, job.gradients->layers[l][part].data() + column);
        finite &= use_gradient(job, l, part, column, width, gradient);
    }
    return finite;
}

// Gradient of W = x^T d and of b = sum of d, a tile at a time, and put to use while it is in the cache: by the
// optimizer for some tiles together, whose loops are short otherwise. Of a large batch whose inputs are not cut into
// tiles, a part at a time is gone through for all tiles; their sums wait in memory meanwhile.
template <class T>
bool Trainer<T>::weight_gradient(const Job& job, std::size_t l, const Batch& batch, const Worker& worker) {
    constexpr Index near = 16 * 1024 / sizeof(T);  // numbers that the nearest cache holds beside others
    const Kernels<T>& k = kernels<T>();
    const Dense<T>& layer = network_.layers[l];
    const bool in_tiles = reads_tiles(l, batch.rows);
    const Inputs inputs = in_tiles ? Inputs{layers_[l].x_tiles.data(), k.tile_rows[2]} : inputs_of(l, batch);
    const Index ldx = inputs.ld, ldd = layers_[l].ld, parts = (batch.rows + kRowsAtOnce<T> - 1) / kRowsAtOnce<T>;
    T *const packed = workers_[worker.id].panel.data(), *const sums = workers_[worker.id].sums.data();
    bool finite = true;
    // Meanwhile, with the first layer, the rows of the next batch come nearer, some with every tile.
    const Index tiles = layer.n_in * layer.panels.total_vectors() / (2 * k.tile_rows[2] * worker.count);
    auto rows_ahead = job.rows_ahead(l == 0 ? batch.first + batch.rows : job.end, worker, tiles);
    const Queue queue = l % 2 ? Queue::odd_updates : Queue::even_updates;
    for_panels(worker, queue, layer.n_in, batch.rows, layer.panels, [&](Index panel, Index begin, Index end) {
        const Index width = layer.panels.width_of(panel), vectors = layer.panels.vectors(panel);
        const Index column = layer.panels.first_column(panel), offset = layer.panels.offset(panel);
        const T* d = layers_[l].d.data() + column;
        Index stride = ldd;
        if (batch.rows * ldd > near) {
            k.pack(d, batch.rows, width, ldd, packed);
            d = packed, stride = width;
        }
        T* const gradient =
            job.gradients ? job.gradients->layers[l][Part::weights].data() + offset : sums - begin * width;
        Index ready = begin;  // the first row of W whose gradient has not been used
        // The rows [row, row + n) of W, whose inputs' first numbers are at x; of the samples [first, first + rows).
        const auto do_tile = [&](Index row, Index n, const T* x, Index first, Index rows) {
            const bool done = first + rows == batch.rows;
            rows_ahead();
            job.worked(worker, rows);
            T* const tile = gradient + row * width;
            k.tile_at[vectors][n](rows, x, ldx, d + first * stride, stride, first ? tile : nullptr, width, tile, width);
            if (!done || (row + n < end && row + n - ready < near / width)) return;
            finite &= use_gradient(job, l, Part::weights, offset + ready * width, (row + n - ready) * width,
                                   gradient + ready * width);
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
        if (begin == 0) {  // whoever has the panel's first rows also does its biases
            if (layer.learns(Part::bias)) {
                T* const bias = job.gradients ? job.gradients->layers[l][Part::bias].data() + column : sums;
                k.column_sums(d, batch.rows, width, stride, bias);
                finite &= use_gradient(job, l, Part::bias, column, width, bias);
            }
            if (layer.norm) finite &= use_norm_gradient(job, l, column, width);
        }
    });
    return finite;
}

// The lowest layer that backward() has to go down to: what is below it stays as it is.
template <class T>
std::size_t Trainer<T>::lowest_layer(const Job& job) const {
    std::size_t l = 0;
    while (!job.inputs_too && l < layers_.size() && !network_.layers[l].trainable) l++;
    return l;
}

// From the last layer down; a layer's weights change only when the gradient below it, which needs them, is done.
template <class T>
void Trainer<T>::backward(Job& job, const Batch& batch, const Worker& worker) {
    bool finite = true;
    const std::size_t lowest = lowest_layer(job);
    for (std::size_t l = layers_.size(); l-- > lowest;) {
        if (network_.layers[l].norm) norm_gradient(job, l, batch.rows, worker);
        if (l > lowest || job.inputs_too) {
            input_gradient(job, l, batch.rows, worker);
            worker.barrier();
        }
        if (network_.layers[l].trainable && (job.optimizer || job.gradients))
            finite &= weight_gradient(job, l, batch, worker);
    }
    if (!finite) job.update_spoilt.store(true, std::memory_order_relaxed);
}

// Whether a step on so many rows may take more than a moment, on the slowest of processors.
template <class T>
bool Trainer<T>::may_be_long(Index rows) const {
    double numbers = static_cast<double>(network_.n_in());
    for (const auto& layer : network_.layers) numbers += static_cast<double>(layer.n_out);
    return static_cast<double>(rows) * (3 * network_.flops_per_sample() + 100 * numbers) > 1e8;
}

// What a step of the optimizer needs before it begins; with a clipped norm all gradients are stored first.
template <class T>
void Trainer<T>::prepare_step(Job& job) {
    for (const auto& layer : network_.layers) job.limits_norms |= layer.trainable && layer.max_norm > 0;
    if (job.optimizer->clip_norm != 0) store_gradients(job);
}

template <class T>
void Trainer<T>::store_gradients(Job& job) {
    if (stored_.layout != network_.layout) stored_ = Gradients<T>(network_);
    if (job.pieces.all.empty()) job.pieces = Pieces<T>(network_);
    job.gradients = &stored_;
}

// One thread, after the forward pass, which is a third of the work.
template <class T>
void Trainer<T>::decide_on_storing(Job& job) {
    if (!job.optimizer || job.optimizer->clip_norm != 0 || !job.may_be_long) return;
    const std::chrono::duration<double> forward = std::chrono::steady_clock::now() - job.step_began;
    job.gradients = nullptr;
    if (2 * forward.count() > kLongestWait) store_gradients(job);
}

// One thread counts the optimizer's step and works out its coefficients.
template <class T>
void Trainer<T>::begin_step(Job& job) {
    auto& o = *job.optimizer;
    o.t += 1;
    job.step = job.weight_step = o.step(job.learning_rate());
    job.weight_step.l1 = static_cast<T>(job.options.penalty.l1);
    job.weight_step.l2 = static_cast<T>(job.options.penalty.l2);
}

// One thread adds up what the batch has come to and begins the optimizer's step, which is finished from here on.
template <class T>
void Trainer<T>::begin_step_of(Job& job, const Batch& batch, const Worker& worker) {
    const LayerMemory& last = layers_.back();
    const Answers<T> answers{batch.rows,    network_.n_out(),     row_loss_.data(),
                             last.y.data(), batch.targets.data(), last.ld,
                             ld_t_,         loss_.half()};
    job.samples.add_up(answers, job.samples_from(batch.first), job.result.totals);
    if (job.optimizer) begin_step(job);
    job.result.next = batch.first + batch.rows;
    job.result.steps++;
    const auto now = std::chrono::steady_clock::now();
    job.give_way = network_.mutex.is_awaited() && now >= job.turn_ends;
    job.stop = job.result.next >= job.end || worker.crowded() || now >= job.pause || job.give_way;
}

// What is left to do when backward() is through.
template <class T>
void Trainer<T>::end_step(Job& job, Index rows, const Worker& worker) {
    if (job.waits()) use_stored(job, rows, worker);
    if (job.optimizer && job.limits_norms) limit_norms(worker);
}

// The optimizer's step with stored gradients, when it has begun. A norm that all are to be scaled down to is known only
// when the last one is.
template <class T>
void Trainer<T>::use_stored(Job& job, Index rows, const Worker& worker) {
    for (std::size_t l = 0; job.moves_statistics && l < layers_.size(); l++) move_statistics(l, rows, worker);
    auto& pieces = job.pieces;
    const auto& gradients = job.gradients->layers;
    const bool clips = job.optimizer->clip_norm != 0;
    Step<T> clipped = job.step;
    bool finite = true;
    if (clips) {
        for (Index i = worker.begin(pieces.count()); i < worker.end(pieces.count()); i++) {
            const auto& p = pieces[i];
            kernels<T>().column_squares(gradients[p.layer][p.part].data() + p.offset, p.rows, p.columns,
                                        pieces.squares.data() + p.squares);
        }
        worker.barrier();
        const double norm = std::sqrt(pieces.total());
        if (norm > job.optimizer->clip_norm) clipped.scale = static_cast<T>(job.optimizer->clip_norm / norm);
        finite = norm - norm == 0;
    }
    if (finite)
        for (Index i = worker.begin(pieces.count()); i < worker.end(pieces.count()); i++) {
            const auto& p = pieces[i];
            finite &= job.optimizer->update(network_.layers[p.layer], p.layer, p.part, p.offset, p.size(),
                                            gradients[p.layer][p.part].data() + p.offset,
                                            clips ? clipped : job.step_of(p.part));
        }
    if (!finite) job.update_spoilt.store(true, std::memory_order_relaxed);
}

// Max-norm (Srivastava et al. 2014): the weights into each unit are brought back to where they may be.
template <class T>
void Trainer<T>::limit_norms(const Worker& worker) {
    worker.barrier();
    for (Dense<T>& layer : network_.layers) {
        const auto& panels = layer.panels;
        if (layer.max_norm == 0 || !layer.trainable) continue;
        for (Index p = worker.begin(panels.count); p < worker.end(panels.count); p++)
            kernels<T>().limit_columns(layer.weights.data() + panels.offset(p), panels.rows, panels.width_of(p),
                                       layer.max_norm);
    }
}

template <class T>
void Trainer<T>::work(Job& job, const Worker& worker) {
    Index position = job.result.next;
    int current = 0;
    gather(job, batches_[0], position, worker);
    worker.barrier();
    while (true) {
        const Batch& batch = batches_[current];
        const Index next = batch.first + batch.rows;
        if (job.may_be_long && worker.id == 0) job.step_began = std::chrono::steady_clock::now();
        forward(job, batch, worker);
        worker.barrier();
        if (job.loss_spoilt.load(std::memory_order_relaxed)) return;  // nothing has changed yet in this step
        if (worker.id == 0) {
            decide_on_storing(job);
            if (!job.waits()) begin_step_of(job, batch, worker);
        }
        // The step's coefficients have to be there before backward() updates; it may meet no barrier of its own by
        // then.
        if (job.may_be_long || lowest_layer(job) + 1 >= layers_.size()) worker.barrier();
        backward(job, batch, worker);
        if (job.waits()) {
            worker.barrier();  // who has not been interrupted by now will not be in this step
            if (worker.id == 0) begin_step_of(job, batch, worker);
            worker.barrier();
        }
        end_step(job, batch.rows, worker);
        if (next < job.end) gather(job, batches_[1 - current], next, worker);
        worker.barrier();
        if (job.update_spoilt.load(std::memory_order_relaxed) || job.stop) return;
        current = 1 - current;
    }
}

// Seconds after which a run makes way for those who wait to predict, or to read weights; if it has waited for them, it
// has as long as that.
constexpr double kTurn = 0.002;

template <class T>
RunResult Trainer<T>::run(const Samples& samples, const std::int64_t* order, Index begin, Index end,
                          OptimizerState<T>& optimizer, const RunOptions& options) {
    const std::unique_lock lock(network_.mutex);
    if (!loss_.kernel) throw std::invalid_argument("loss: this trainer has none");
    if (options.batch_size < 1) throw std::invalid_argument("batch_size: it takes at least 1");
    network_.check(samples, true);
    check_range(samples, order, begin, end);
    optimizer.check(network_);
    Job job{samples, order, end, options, &optimizer, nullptr, false, {}};
    job.moves_statistics = true;
    job.result.next = begin;
    job.result.totals = options.totals;
    if (begin >= end) return job.result;
    const Index rows = std::min(options.batch_size, end - begin);
    const int team = threads_for(3 * network_.flops_per_sample() * static_cast<double>(rows), options.n_threads);
    allocate(rows, team);
    prepare_step(job);
    network_.changes++;  // what needs memory has it
    training_ = true;
    kept_rows_ = 0;
    job.may_be_long = may_be_long(rows);

    using Clock = std::chrono::steady_clock;
    const auto after = [](Clock::time_point t, double seconds) {
        return t + std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
    };
    const auto started = Clock::now(),
               deadline = options.seconds > 0 ? after(started, options.seconds) : Clock::time_point::max();
    job.turn_ends = std::max(after(started, kTurn), network_.mutex.turn_ends());
    bool interrupted = false;
    for (auto now = started; job.result.next < end && now < deadline && !job.loss_spoilt && !job.update_spoilt &&
                             !job.give_way && !interrupted;) {
        const Index first = job.result.next;
        const int workers = team > 1 ? choice_.workers(team) : 1;
        job.stop = false;
        job.pause = team > 1 ? std::min(deadline, after(now, choice_.seconds_left())) : deadline;
        try {
            run_team(workers, [&](const Worker& worker) {
                const DenormalsAreZero flush;
                work(job, worker);
            });
        } catch (const Interrupted&) {  // in a step that had not begun to change anything
            interrupted = true;
        }
        const auto then = now;
        now = Clock::now();
        if (team > 1) choice_.record(std::chrono::duration<double>(now - then).count(), job.result.next - first);
    }
    job.result.outcome = job.loss_spoilt         ? Outcome::loss_not_finite
                         : job.update_spoilt     ? Outcome::update_not_finite
                         : interrupted           ? Outcome::interrupted
                         : job.result.next < end ? Outcome::paused
                                                 : Outcome::finished;
    return job.result;
}

template <class T>
Totals Trainer<T>::gradients(const Samples& samples, const RunOptions& given, Gradients<T>* out, T* d_x) {
    const std::unique_lock lock(network_.mutex);
    if (!loss_.kernel) throw std::invalid_argument("loss: this trainer has none");
    network_.check(samples, true);
    check_range(samples, nullptr, 0, samples.x.n);
    RunOptions options = given;
    options.batch_size = samples.x.n;
    options.seconds = 0;
    options.random = false;
    if (out) *out = Gradients<T>(network_);
    Job job{samples, nullptr, samples.x.n, options, nullptr, out, d_x != nullptr, {}};
    const int team = threads_for(3 * network_.flops_per_sample() * static_cast<double>(samples.x.n), options.n_threads);
    allocate(samples.x.n, team);
    if (d_x) d_x_.grow(product(allocated_rows_, ld_x_));
    training_ = true;
    kept_rows_ = 0;
    run_team(team, [&](const Worker& worker) { work(job, worker); });
    if (d_x) copy_input_gradients(samples.x.n, d_x);
    Totals totals = job.result.totals;
    totals.loss += totals.weight * penalty_of(network_, options.penalty);
    return totals;
}

void shuffled_order(std::uint64_t seed, std::uint32_t epoch, Index n, std::int64_t* order) {
    std::iota(order, order + n, 0);
    Stream random(seed, Purpose::shuffle, epoch);
    Watch watch;
    for (Index i = n - 1; i > 0; i--) {
        std::swap(order[i], order[random.below(static_cast<std::uint32_t>(i + 1))]);
        watch.worked(1);
    }
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace foxnn
