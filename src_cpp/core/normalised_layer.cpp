// Layers with a normalisation, in training: forward, backward, and the running statistics that prediction uses.
#include "core/products.hpp"
#include "core/trainer_job.hpp"

namespace foxnn {

// Batches are normalised with their own moments in training; in prediction, and if the layer is frozen, with the
// running ones.
template <class T>
bool Trainer<T>::uses_batch_moments(std::size_t l) const {
    return training_ && network_.layers[l].trainable;
}

template <class T>
void Trainer<T>::normalised_layer(const Job& job, std::size_t l, const Batch& batch, const T* x, Index ldx,
                                  const Worker& worker) {
    const Dense<T>& layer = network_.layers[l];
    LayerMemory& memory = layers_[l];
    for_panels(worker, Queue::products, batch.rows, layer.n_in, layer.panels, [&](Index panel, Index begin, Index end) {
        for_tiles<T>(begin, end, layer.panels.vectors(panel), [&](Index row, Index n) {
            forward_tile(layer, panel, n, x + row * ldx, ldx, memory.normal.data() + row * memory.ld,
                         static_cast<T*>(nullptr), memory.ld, true);
            worker.worked(layer.n_in);
        });
    });
    worker.barrier();
    const auto& panels = layer.panels;
    if (layer.norm.kind == NormKind::batch) {  // shared by columns
        for (Index p = worker.begin(panels.count); p < worker.end(panels.count); p++) {
            normalise_panel(l, p, batch.rows);
            activate(job, l, batch, p, 0, batch.rows);
            worker.worked(batch.rows);
        }
    } else {  // shared by rows
        const Norm<T>& norm = layer.norm;
        const Index last = worker.end(batch.rows);
        for (Index first = worker.begin(batch.rows), n; first < last; first += n) {
            n = std::min(kRowsTogether, last - first);
            const Index at = first * memory.ld;
            kernels<T>().normalise_rows(memory.normal.data() + at, memory.y.data() + at, n, layer.n_out, memory.ld,
                                        static_cast<T>(norm.epsilon), norm.gamma.data(), norm.beta.data(),
                                        memory.inverse.data() + first);
            for (Index p = 0; p < panels.count; p++) activate(job, l, batch, p, first, n);
            worker.worked(n * panels.count);
        }
    }
}

template <class T>
void Trainer<T>::normalise_panel(std::size_t l, Index panel, Index rows) {
    const Kernels<T>& k = kernels<T>();
    const Dense<T>& layer = network_.layers[l];
    const Norm<T>& norm = layer.norm;
    LayerMemory& memory = layers_[l];
    const Index column = layer.panels.first_column(panel), width = layer.panels.width_of(panel);
    T *const z = memory.normal.data() + column, *const mean = memory.mean.data() + column,
             *const variance = memory.variance.data() + column, *const inverse = memory.inverse.data() + column;
    if (uses_batch_moments(l)) {
        k.column_moments(z, rows, width, memory.ld, mean, variance);
    } else {
        std::copy_n(norm.running_mean.data() + column, width, mean);
        std::copy_n(norm.running_variance.data() + column, width, variance);
    }
    for (Index j = 0; j < width; j++) inverse[j] = inverse_deviation(variance[j], norm.epsilon);
    k.normalise_columns(z, memory.y.data() + column, rows, width, memory.ld, mean, inverse, norm.gamma.data() + column,
                        norm.beta.data() + column);
}

// f of what is in y, the rows [row, row + n) of one panel; with dropout.
template <class T>
void Trainer<T>::activate(const Job& job, std::size_t l, const Batch& batch, Index panel, Index row, Index n) {
    const Dense<T>& layer = network_.layers[l];
    LayerMemory& memory = layers_[l];
    const Index at = row * memory.ld + layer.panels.first_column(panel);
    layer.activation->forward(memory.y.data() + at, memory.slope.size() ? memory.slope.data() + at : nullptr, n,
                              layer.panels.width_of(panel), memory.ld, layer.parameters.data());
    if (layer.dropout > 0) drop(job, l, batch, panel, row, n);
}

// From the gradient d of what the activation is given to that of the linear outputs, and those of gamma and beta.
template <class T>
void Trainer<T>::norm_gradient(const Job& job, std::size_t l, Index rows, const Worker& worker) {
    const Kernels<T>& k = kernels<T>();
    const Dense<T>& layer = network_.layers[l];
    const Norm<T>& norm = layer.norm;
    LayerMemory& memory = layers_[l];
    const Index ld = memory.ld;
    const bool batch = norm.kind == NormKind::batch;
    const T share = uses_batch_moments(l) ? 1 / static_cast<T>(rows) : T(0);
    for (Index p = worker.begin(layer.panels.count); p < worker.end(layer.panels.count); p++) {
        const Index column = layer.panels.first_column(p), width = layer.panels.width_of(p);
        T *const d = memory.d.data() + column, *const normal = memory.normal.data() + column,
                 *const d_gamma = memory.d_gamma.data() + column, *const d_beta = memory.d_beta.data() + column;
        k.norm_parameter_gradients(d, normal, rows, width, ld, d_gamma, d_beta);
        if (batch)
            k.batch_norm_gradient(d, normal, rows, width, ld, norm.gamma.data() + column,
                                  memory.inverse.data() + column, d_gamma, d_beta, share);
        job.worked(worker, rows);
    }
    if (job.moves_statistics && !job.waits()) move_statistics(l, rows, worker);
    worker.barrier();
    if (batch) return;
    const Index last = worker.end(rows);
    for (Index first = worker.begin(rows), n; first < last; first += n) {
        n = std::min(kRowsTogether, last - first);
        k.layer_norm_gradient(memory.d.data() + first * ld, memory.normal.data() + first * ld, n, layer.n_out, ld,
                              norm.gamma.data(), memory.inverse.data() + first);
        job.worked(worker, n * layer.panels.count);
    }
    worker.barrier();
}

// running <- (1 - momentum) running + momentum of the batch, with the unbiased variance; of a single row there is none,
// and what would not be finite is left out. The columns are those of the worker's panels.
template <class T>
void Trainer<T>::move_statistics(std::size_t l, Index rows, const Worker& worker) {
    Dense<T>& layer = network_.layers[l];
    if (layer.norm.kind != NormKind::batch || !uses_batch_moments(l)) return;
    const T momentum = static_cast<T>(layer.norm.momentum);
    const T unbiased = rows > 1 ? static_cast<T>(rows) / static_cast<T>(rows - 1) : T(0);
    const auto move = [&](T& running, T value) {
        const T moved = (1 - momentum) * running + momentum * value;
        if (moved - moved == 0) running = moved;
    };
    const auto& panels = layer.panels;
    for (Index j = panels.first_column(worker.begin(panels.count)),
               end = std::min(layer.n_out, panels.first_column(worker.end(panels.count)));
         j < end; j++) {
        move(layer.norm.running_mean[j], layers_[l].mean[j]);
        if (rows > 1) move(layer.norm.running_variance[j], layers_[l].variance[j] * unbiased);
    }
}

#define FOXNN_NORMALISED(T)                                                                                            \
    template void Trainer<T>::normalised_layer(const Job&, std::size_t, const Batch&, const T*, Index, const Worker&); \
    template void Trainer<T>::norm_gradient(const Job&, std::size_t, Index, const Worker&);                            \
    template void Trainer<T>::move_statistics(std::size_t, Index, const Worker&);
FOXNN_NORMALISED(float)
FOXNN_NORMALISED(double)
#undef FOXNN_NORMALISED

}  // namespace foxnn
