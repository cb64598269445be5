// A batch in two halves: forward, and, once someone else has worked out the outputs' gradient, backward.
#include <optional>

#include "core/denormals.hpp"
#include "core/products.hpp"
#include "core/threads.hpp"
#include "core/trainer_job.hpp"

namespace foxnn {

template <class T>
void Trainer<T>::forward_half(const Samples& samples, const std::int64_t* order, Index begin, Index end,
                              const RunOptions& given, T* y) {
    const std::unique_lock lock(network_.mutex);
    network_.check(samples, false);
    check_range(samples, order, begin, end);
    RunOptions options = given;
    options.batch_size = end - begin;
    Job job{samples, order, end, options, nullptr, nullptr, false, {}};
    const double flops = network_.flops_per_sample() * static_cast<double>(end - begin);
    const int team = threads_for(flops, options.n_threads);
    allocate(end - begin, team);
    kept_rows_ = 0;  // what needs memory has it
    training_ = options.random;
    if (training_ && network_.has_batch_norm()) network_.changes++;  // its running moments will
    const auto began = std::chrono::steady_clock::now();
    run_team(team, [&](const Worker& worker) {
        std::optional<DenormalsAreZero> flush;
        if (options.random) flush.emplace();  // as in training
        const Batch& batch = batches_[0];
        gather(job, batches_[0], begin, worker);
        worker.barrier();
        forward(job, batch, worker);  // the outputs are shared by rows, and so is their copy
        for (Index r = worker.begin(batch.rows); r < worker.end(batch.rows); r++)
            network_.hand_out(layers_.back().y.data() + r * layers_.back().ld, y + r * network_.n_out());
        if (training_ && network_.has_batch_norm())
            worker.barrier();  // who has not been interrupted by now will not be
        for (std::size_t l = 0; training_ && l < layers_.size(); l++) move_statistics(l, batch.rows, worker);
    });
    forward_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    kept_rows_ = end - begin;
    kept_changes_ = network_.changes;
}

// Puts d, times the samples' weights if `weighted` and times the slope, where backward() looks for it; and goes there.
template <class T>
bool Trainer<T>::second_half(Job& job, const T* d, Index rows, bool weighted) {
    if (!keeps(rows)) return false;
    const int team = threads_for(2 * network_.flops_per_sample() * static_cast<double>(rows), job.options.n_threads);
    allocate(rows, team);
    if (job.inputs_too) d_x_.grow(product(allocated_rows_, ld_x_));
    if (job.optimizer) {
        prepare_step(job);
        if (2 * forward_seconds_ > kLongestWait) store_gradients(job);
    }
    const auto begin = [&](const Worker& worker) {
        if (worker.id != 0) return;
        network_.changes++;
        begin_step(job);
    };
    run_team(team, [&](const Worker& worker) {
        const DenormalsAreZero flush;
        if (job.optimizer && !job.waits()) begin(worker);
        const Dense<T>& last = network_.layers.back();
        LayerMemory& memory = layers_.back();
        const Index first = worker.begin(rows), n = worker.end(rows) - first, n_out = network_.n_out();
        for (Index r = first; r < first + n; r++) {
            T* const to = memory.d.data() + r * memory.ld;
            const T weight = weighted ? batches_[0].weights[r] : T(1);
            for (Index j = 0; j < n_out; j++) to[j] = weight * d[r * n_out + j];
            network_.output_scaling.times_spread(to);  // what handing out did
            std::fill(to + n_out, to + last.panels.padded_columns(), T(0));
        }
        const Index columns = last.activation->rowwise ? n_out : last.panels.padded_columns();
        if (n > 0) times_slope(last, memory.d.data() + first * memory.ld, memory, first, 0, n, columns);
        worker.barrier();
        backward(job, batches_[0], worker);
        if (job.waits()) {
            worker.barrier();  // who has not been interrupted by now will not be in this step
            begin(worker);
            worker.barrier();
        }
        end_step(job, rows, worker);
    });
    return true;
}

template <class T>
bool Trainer<T>::backward_half(const T* d, Index rows, Gradients<T>* out, T* d_x, int n_threads) {
    const std::unique_lock lock(network_.mutex);
    RunOptions options;
    options.n_threads = n_threads;
    if (out) *out = Gradients<T>(network_);
    Job job{Samples(), nullptr, rows, options, nullptr, out, d_x != nullptr, {}};
    if (!second_half(job, d, rows, false)) return false;
    if (d_x) copy_input_gradients(rows, d_x);
    return true;
}

template <class T>
void Trainer<T>::copy_input_gradients(Index rows, T* d_x) const {
    const Index n_in = network_.n_in();
    Watch watch;
    for (Index r = 0; r < rows; r++) {
        watch.worked(n_in / 8);
        std::copy_n(d_x_.data() + r * ld_x_, n_in, d_x + r * n_in);
        network_.input_scaling.times_factor(d_x + r * n_in);
    }
}

template <class T>
bool Trainer<T>::layer_output(std::size_t l, Index rows, T* out) const {
    if (!keeps(rows) || l >= layers_.size()) return false;
    const Index n_out = network_.layers[l].n_out;
    for (Index r = 0; r < rows; r++) std::copy_n(layers_[l].y.data() + r * layers_[l].ld, n_out, out + r * n_out);
    return true;
}

template <class T>
bool Trainer<T>::update_half(const T* d, Index rows, bool weighted, OptimizerState<T>& optimizer,
                             const RunOptions& options, Outcome& outcome) {
    const std::unique_lock lock(network_.mutex);
    optimizer.check(network_);
    Job job{Samples(), nullptr, rows, options, &optimizer, nullptr, false, {}};
    const bool done = second_half(job, d, rows, weighted);
    outcome = job.update_spoilt ? Outcome::update_not_finite : Outcome::finished;
    return done;
}

template <class T>
Outcome Trainer<T>::apply(Gradients<T> gradients, OptimizerState<T>& optimizer, const RunOptions& options) {
    const std::unique_lock lock(network_.mutex);
    optimizer.check(network_);
    if (gradients.layout != network_.layout) throw std::invalid_argument("gradients: they are of other layers");
    Job job{Samples(), nullptr, 0, options, &optimizer, nullptr, false, {}};
    prepare_step(job);
    if (job.gradients) job.gradients = &gradients;
    const Pieces<T> pieces(network_);
    network_.changes++;  // what needs memory has it
    run_team(threads_for(8 * network_.flops_per_sample(), options.n_threads), [&](const Worker& worker) {
        const DenormalsAreZero flush;
        if (worker.id == 0) begin_step(job);
        worker.barrier();
        bool finite = true;
        for (Index i = worker.begin(pieces.count()); i < worker.end(pieces.count()); i++) {
            const auto& p = pieces[i];
            finite &= use_gradient(job, p.layer, p.part, p.offset, p.size(),
                                   gradients.layers[p.layer][p.part].data() + p.offset);
        }
        if (!finite) job.update_spoilt.store(true, std::memory_order_relaxed);
        if (job.waits()) worker.barrier();
        end_step(job, 0, worker);
    });
    return job.update_spoilt ? Outcome::update_not_finite : Outcome::finished;
}

#define FOXNN_HALVES(T)                                                                                               \
    template void Trainer<T>::forward_half(const Samples&, const std::int64_t*, Index, Index, const RunOptions&, T*); \
    template bool Trainer<T>::backward_half(const T*, Index, Gradients<T>*, T*, int);                                 \
    template void Trainer<T>::copy_input_gradients(Index, T*) const;                                                  \
    template bool Trainer<T>::layer_output(std::size_t, Index, T*) const;                                             \
    template bool Trainer<T>::update_half(const T*, Index, bool, OptimizerState<T>&, const RunOptions&, Outcome&);    \
    template Outcome Trainer<T>::apply(Gradients<T>, OptimizerState<T>&, const RunOptions&);
FOXNN_HALVES(float)
FOXNN_HALVES(double)
#undef FOXNN_HALVES

}  // namespace foxnn
