#include "core/epilogue.hpp"

#include "core/gradient_sink.hpp"

namespace foxnn {

template <class T>
EpiloguePass<T>::EpiloguePass(Layer<T>& layer, Epilogue<T>& epilogue, Pass<T>& pass, const PassOptions& options)
    : layer_(layer),
      epilogue_(epilogue),
      pass_(pass),
      number_(static_cast<std::uint32_t>(options.number)),
      logits_(options.logits) {
    const Index ld = pass.ld(), size = product(options.rows, ld);
    if (keeps_derivative()) derivative_ = Buffer<T>(size);
    if (!epilogue.norm) return;
    normal_ = Buffer<T>(size);
    inverse_ = Buffer<T>(std::max(options.rows, ld));
    for (Buffer<T>* array : {&mean_, &variance_, &d_gamma_, &d_beta_}) *array = Buffer<T>(ld);
}

// ---- forward -------------------------------------------------------------------------------------------------

// From an output that was dropped the derivative cannot be computed any more: so derivatives are stored before, and
// those of dropped units are set to zero too.
template <class T>
void EpiloguePass<T>::drop(Index panel, Index row, Index n, const BatchInfo& batch) {
    const Index column = epilogue_.columns.first_column(panel), width = epilogue_.columns.width_of(panel);
    const Index ld = pass_.ld(), at = row * ld + column;
    T *const y = pass_.y() + at, *const derivative = derivative_.data() + at;
    if (epilogue_.activation->derivative_from_output) {
        for (Index r = 0; r < n; r++) std::fill_n(derivative + r * ld, width, T(1));
        epilogue_.activation->backward(derivative, y, n, width, ld, epilogue_.activation_parameters.data());
    }
    if (!batch.random) return;
    const DropoutMask mask(batch.seed, batch.epoch, number_, epilogue_.dropout);
    kernels<T>().dropout(y, derivative, n, width, ld, column, mask, batch.samples + row);
}

template <class T>
void EpiloguePass<T>::finish_rows(Index begin, Index end) {
    if (!logits_ && epilogue_.activation->rowwise)
        epilogue_.activate(pass_.y() + begin * pass_.ld(), nullptr, end - begin, epilogue_.n_out(), pass_.ld());
}

template <class T>
void EpiloguePass<T>::normalise(const BatchInfo& batch, const Worker& worker) {
    const Norm<T>& norm = *epilogue_.norm;
    worker.barrier();
    const auto& panels = epilogue_.columns;
    if (norm.kind == NormKind::batch) {  // shared by columns
        for (Index p = worker.begin(panels.count); p < worker.end(panels.count); p++) {
            normalise_panel(p, batch);
            activate(p, 0, batch.rows, batch);
            worker.worked(batch.rows);
        }
    } else {  // shared by rows
        const Index last = worker.end(batch.rows);
        for (Index first = worker.begin(batch.rows), n; first < last; first += n) {
            n = std::min(kRowsTogether, last - first);
            const Index at = first * pass_.ld();
            kernels<T>().normalise_rows(normal_.data() + at, pass_.y() + at, n, epilogue_.n_out(), pass_.ld(),
                                        static_cast<T>(norm.epsilon), norm.gamma.data(), norm.beta.data(),
                                        inverse_.data() + first);
            for (Index p = 0; p < panels.count; p++) activate(p, first, n, batch);
            worker.worked(n * panels.count);
        }
    }
}

// Batches are normalised with their own moments in training; in prediction, and if the layer is frozen, with the
// running ones.
template <class T>
void EpiloguePass<T>::normalise_panel(Index panel, const BatchInfo& batch) {
    const Kernels<T>& k = kernels<T>();
    const Norm<T>& norm = *epilogue_.norm;
    const Index column = epilogue_.columns.first_column(panel), width = epilogue_.columns.width_of(panel);
    T *const z = normal_.data() + column, *const mean = mean_.data() + column,
             *const variance = variance_.data() + column, *const inverse = inverse_.data() + column;
    if (uses_batch_moments(batch)) {
        k.column_moments(z, batch.rows, width, pass_.ld(), mean, variance);
    } else {
        std::copy_n(norm.running_mean.data() + column, width, mean);
        std::copy_n(norm.running_variance.data() + column, width, variance);
    }
    for (Index j = 0; j < width; j++) inverse[j] = inverse_deviation(variance[j], norm.epsilon);
    k.normalise_columns(z, pass_.y() + column, batch.rows, width, pass_.ld(), mean, inverse, norm.gamma.data() + column,
                        norm.beta.data() + column);
}

// ---- backward ------------------------------------------------------------------------------------------------

template <class T>
void EpiloguePass<T>::norm_gradients(const BatchInfo& batch, const GradientSink<T>& sink, const Worker& worker) {
    const Norm<T>& norm = *epilogue_.norm;
    const Kernels<T>& k = kernels<T>();
    const auto& panels = epilogue_.columns;
    const Index rows = batch.rows, ld = pass_.ld();
    const bool over_batch = norm.kind == NormKind::batch;
    const T share = uses_batch_moments(batch) ? 1 / static_cast<T>(rows) : T(0);
    for (Index p = worker.begin(panels.count); p < worker.end(panels.count); p++) {
        const Index column = panels.first_column(p), width = panels.width_of(p);
        T *const d = pass_.d() + column, *const normal = normal_.data() + column,
                 *const d_gamma = d_gamma_.data() + column, *const d_beta = d_beta_.data() + column;
        k.norm_parameter_gradients(d, normal, rows, width, ld, !batch.begins, d_gamma, d_beta);
        if (over_batch)
            k.batch_norm_gradient(d, normal, rows, width, ld, norm.gamma.data() + column, inverse_.data() + column,
                                  d_gamma, d_beta, share);
        sink.worked(worker, rows);
    }
    worker.barrier();
    if (over_batch) return;
    const Index last = worker.end(rows);
    for (Index first = worker.begin(rows), n; first < last; first += n) {
        n = std::min(kRowsTogether, last - first);
        k.layer_norm_gradient(pass_.d() + first * ld, normal_.data() + first * ld, n, epilogue_.n_out(), ld,
                              norm.gamma.data(), inverse_.data() + first);
        sink.worked(worker, n * panels.count);
    }
    worker.barrier();
}

template <class T>
bool EpiloguePass<T>::use_norm_gradients(Index panel, GradientSink<T>& sink) {
    const Index column = epilogue_.columns.first_column(panel), width = epilogue_.columns.width_of(panel);
    bool finite = true;
    const auto use = [&](Parameter<T>& parameter, Buffer<T>& d) {
        T* const gradient = d.data() + column;
        if (T* const kept = sink.kept(parameter)) std::copy_n(gradient, width, kept + column);
        finite &= sink.take(parameter, column, width, gradient);
    };
    use(epilogue_.norm->gamma, d_gamma_);
    use(epilogue_.norm->beta, d_beta_);
    return finite;
}

// running <- (1 - momentum) running + momentum of the batch, with the unbiased variance. A single row has no variance,
// and a moment that would become infinite or NaN keeps its value. Each worker does the columns of its panels.
template <class T>
void EpiloguePass<T>::move_statistics(const BatchInfo& batch, const Worker& worker) {
    if (!epilogue_.has(NormKind::batch) || !uses_batch_moments(batch)) return;
    Norm<T>& norm = *epilogue_.norm;
    const T momentum = static_cast<T>(norm.momentum);
    const T unbiased = batch.rows > 1 ? static_cast<T>(batch.rows) / static_cast<T>(batch.rows - 1) : T(0);
    const auto move = [&](T& running, T value) {
        const T moved = (1 - momentum) * running + momentum * value;
        if (moved - moved == 0) running = moved;
    };
    const auto& panels = epilogue_.columns;
    for (Index j = panels.first_column(worker.begin(panels.count)),
               end = std::min(epilogue_.n_out(), panels.first_column(worker.end(panels.count)));
         j < end; j++) {
        move(norm.running_mean.values[j], mean_[j]);
        if (batch.rows > 1) move(norm.running_variance.values[j], variance_[j] * unbiased);
    }
}

template class EpiloguePass<float>;
template class EpiloguePass<double>;

}  // namespace foxnn
