// Training loops written by users: forward; then, from the gradient of the outputs that the user has worked out,
// backward or a step.
#include <optional>

#include "core/denormals.hpp"
#include "core/threads.hpp"
#include "core/trainer_job.hpp"

namespace foxnn {

template <class T>
void Trainer<T>::forward_batch(const Samples& samples, const std::int64_t* order, Index begin, Index end,
                               ForwardFor purpose, const RunOptions& given, T* y) {
    const std::unique_lock lock(network_.mutex);
    network_.check(samples, false);
    check_range(samples, order, begin, end);
    RunOptions options = given;
    options.batch_size = end - begin;
    options.random = purpose == ForwardFor::training;
    Job job{samples, order, end, options, {nullptr, nullptr, options.penalty}};
    job.moves_statistics = purpose == ForwardFor::training && network_.mixes_samples();
    const double flops = network_.flops_per_sample() * static_cast<double>(end - begin);
    const int team = threads_for(flops, options.n_threads);
    allocate(end - begin, team);
    kept_rows_ = 0;
    batch_moments_ = purpose != ForwardFor::prediction;
    if (job.moves_statistics) network_.changes++;
    const auto began = std::chrono::steady_clock::now();
    run_team(team, [&](const Worker& worker) {
        std::optional<DenormalsAreZero> flush;
        if (purpose == ForwardFor::training) flush.emplace();
        const Batch& batch = batches_[0];
        const MicroBatch all = job.first_micro_batch(begin);
        gather(job, all, share_of(job, all), batches_[0], worker);
        worker.barrier();
        const BatchInfo info = info_of(job, batch, job.after(all));
        forward(job, batch, info, worker);  // the outputs are shared by rows, and so is their copy
        for (Index r = worker.begin(info.rows); r < worker.end(info.rows); r++)
            network_.hand_out(plan_.last().y() + r * plan_.last().ld(), y + r * network_.n_out());
        if (!job.moves_statistics) return;
        worker.barrier();  // after this none of the workers can be interrupted
        plan_.move_statistics(info, worker);
    });
    forward_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    kept_rows_ = end - begin;
    kept_changes_ = network_.changes;
}

// Gives d to the last layer, times the samples' weights if `weighted`, and times the derivative of its activation; then
// works backward from there.
template <class T>
bool Trainer<T>::backward_from(Job& job, const T* d, Index rows, bool weighted) {
    if (!keeps(rows)) return false;
    const int team = threads_for(2 * network_.flops_per_sample() * static_cast<double>(rows), job.options.n_threads);
    allocate(rows, team);
    job.lowest = job.d_x ? 0 : plan_.lowest();
    if (job.d_x) plan_.provide_for_inputs();
    if (job.sink.optimizer()) {
        prepare_step(job);
        if (2 * forward_seconds_ > kLongestWait) keep_gradients(job);
    }
    const auto begin = [&](const Worker& worker) {
        if (worker.id != 0) return;
        network_.changes++;
        job.sink.begin_step(job.learning_rate());
    };
    run_team(team, [&](const Worker& worker) {
        const DenormalsAreZero flush;
        if (job.sink.optimizer() && !job.sink.waits()) begin(worker);
        Pass<T>& last = plan_.last();
        const Index first = worker.begin(rows), n = worker.end(rows) - first, n_out = network_.n_out();
        for (Index r = first; r < first + n; r++) {
            T* const to = last.d() + r * last.ld();
            const T weight = weighted ? batches_[0].weights[r] : T(1);
            for (Index j = 0; j < n_out; j++) to[j] = weight * d[r * n_out + j];
            network_.output_scaling.times_spread(to);  // the derivative of hand_out()
            std::fill(to + n_out, to + last.padded(), T(0));
        }
        if (n > 0) last.times_derivative(last.d() + first * last.ld(), first, 0, n, last.padded());
        worker.barrier();
        const BatchInfo info = info_of(job, batches_[0], {});
        backward(job, batches_[0], info, worker);
        if (job.d_x) copy_input_gradients(job, {0, rows, 0, rows}, worker);
        if (job.sink.waits()) {
            worker.barrier();  // after this none of the workers can be interrupted in this step
            begin(worker);
            worker.barrier();
        }
        end_step(job, info, worker);
    });
    return true;
}

template <class T>
bool Trainer<T>::backward_batch(const T* d, Index rows, Gradients<T>* out, T* d_x, int n_threads) {
    const std::unique_lock lock(network_.mutex);
    RunOptions options;
    options.n_threads = n_threads;
    if (out) *out = Gradients<T>(network_);
    const Samples none;
    Job job{none, nullptr, rows, options, {nullptr, out, options.penalty}, d_x};
    if (!backward_from(job, d, rows, false)) return false;
    return true;
}

// Copies the gradients of a micro-batch's inputs to the caller, each worker some rows.
template <class T>
void Trainer<T>::copy_input_gradients(const Job& job, const MicroBatch& part, const Worker& worker) const {
    const Index n_in = network_.n_in();
    for (Index r = worker.begin(part.rows); r < worker.end(part.rows); r++) {
        worker.worked(n_in / 8);
        T* const to = job.d_x + (part.first + r) * n_in;
        std::copy_n(plan_.d_inputs() + r * plan_.ld_inputs(), n_in, to);
        network_.input_scaling.times_factor(to);
    }
}

template <class T>
bool Trainer<T>::layer_output(std::size_t l, Index rows, T* out) const {
    if (!keeps(rows) || l >= plan_.size()) return false;
    const Pass<T>& pass = plan_[l];
    for (Index r = 0; r < rows; r++) std::copy_n(pass.y() + r * pass.ld(), pass.n_out(), out + r * pass.n_out());
    return true;
}

template <class T>
bool Trainer<T>::update_batch(const T* d, Index rows, bool weighted, OptimizerState<T>& optimizer,
                              const RunOptions& options, Outcome& outcome) {
    const std::unique_lock lock(network_.mutex);
    optimizer.check(network_);
    const Samples none;
    Job job{none, nullptr, rows, options, {&optimizer, nullptr, options.penalty}};
    const bool done = backward_from(job, d, rows, weighted);
    outcome = job.update_not_finite ? Outcome::update_not_finite : Outcome::finished;
    return done;
}

template <class T>
Outcome Trainer<T>::apply(Gradients<T> gradients, OptimizerState<T>& optimizer, const RunOptions& options) {
    const std::unique_lock lock(network_.mutex);
    optimizer.check(network_);
    if (gradients.layout != network_.layout) throw std::invalid_argument("gradients: they are of other layers");
    const Samples none;
    Job job{none, nullptr, 0, options, {&optimizer, nullptr, options.penalty}};
    prepare_step(job);
    if (job.sink.waits()) job.sink.keep_in(gradients, network_);
    const ParameterPanels<T> panels(network_);
    network_.changes++;  // nothing can fail for want of memory any more
    run_team(threads_for(8 * network_.flops_per_sample(), options.n_threads), [&](const Worker& worker) {
        const DenormalsAreZero flush;
        if (worker.id == 0) job.sink.begin_step(job.learning_rate());
        worker.barrier();
        bool finite = true;
        panels.share(worker, [&](const auto& p) {
            T* const gradient = gradients.of(*p.parameter) + p.offset;
            finite &= job.sink.take(*p.parameter, p.offset, p.rows * p.columns, gradient);
        });
        if (!finite) job.update_not_finite.store(true, std::memory_order_relaxed);
        if (job.sink.waits()) worker.barrier();
        end_step(job, BatchInfo(), worker);
    });
    return job.update_not_finite ? Outcome::update_not_finite : Outcome::finished;
}

#define FOXNN_OWN_LOOPS(T)                                                                                          \
    template void Trainer<T>::forward_batch(const Samples&, const std::int64_t*, Index, Index, ForwardFor,          \
                                            const RunOptions&, T*);                                                 \
    template bool Trainer<T>::backward_batch(const T*, Index, Gradients<T>*, T*, int);                              \
    template void Trainer<T>::copy_input_gradients(const Job&, const MicroBatch&, const Worker&) const;             \
    template bool Trainer<T>::layer_output(std::size_t, Index, T*) const;                                           \
    template bool Trainer<T>::update_batch(const T*, Index, bool, OptimizerState<T>&, const RunOptions&, Outcome&); \
    template Outcome Trainer<T>::apply(Gradients<T>, OptimizerState<T>&, const RunOptions&);
FOXNN_OWN_LOOPS(float)
FOXNN_OWN_LOOPS(double)
#undef FOXNN_OWN_LOOPS

}  // namespace foxnn
