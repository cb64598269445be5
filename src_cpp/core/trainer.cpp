#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "core/denormals.hpp"
#include "core/random.hpp"
#include "core/threads.hpp"
#include "core/trainer_job.hpp"

namespace foxnn {

// ---- one run of batches --------------------------------------------------------------------------------------

// What the penalty adds to the loss. Summed up unit by unit, which is the same order however wide the panels are.
template <class T>
double penalty_of(const Network<T>& network, const Penalty& penalty) {
    if (penalty.is_none()) return 0;
    double absolute = 0, squares = 0;
    Watch watch;
    for (const Parameter<T>* parameter : network.parameters()) {
        const Panels<T>& panels = parameter->panels;
        for (Index j = 0; parameter->penalised && j < panels.columns; j++) {
            double absolute_of_unit = 0, squares_of_unit = 0;
            const T* w = parameter->data() + panels.at(0, j);
            const Index stride = panels.width_of(j / panels.width);
            for (Index i = 0; i < panels.rows; i++, w += stride) {
                const double v = static_cast<double>(*w);
                absolute_of_unit += std::abs(v), squares_of_unit += v * v;
            }
            absolute += absolute_of_unit, squares += squares_of_unit;
            watch.worked(panels.rows);
        }
    }
    return penalty.l1 * absolute + penalty.l2 / 2 * squares;
}

template <class T>
void Trainer<T>::check_range(const Samples& samples, const std::int64_t* order, Index begin, Index end) const {
    if (begin < 0 || begin > end || (!order && end > samples.x.n))
        throw std::out_of_range("samples: got " + std::to_string(begin) + " to " + std::to_string(end) +
                                ", of which there are " + std::to_string(samples.x.n));
}

// Every worker checks all of it, so that either all of them throw or none does.
template <class T>
void Trainer<T>::check_order(const Job& job, const MicroBatch& part) const {
    if (!job.order) return;
    const std::int64_t* const order = job.order + part.first;
    if (!std::all_of(order, order + part.rows, [n = job.samples.x.n](std::int64_t i) { return i >= 0 && i < n; }))
        throw std::out_of_range("order: it takes numbers of samples, of which there are " +
                                std::to_string(job.samples.x.n));
}

// Without enough memory it throws, and changes nothing.
template <class T>
void Trainer<T>::allocate(Index rows, int workers) {
    if (rows > kMost)
        throw std::invalid_argument("batch: got " + std::to_string(rows) + " rows; it takes at most " +
                                    std::to_string(kMost));
    if (plan_.fits(rows)) return plan_.provide_for(workers);

    rows = std::max(rows, plan_.rows());
    Plan<T> plan(network_, rows, workers, loss_.from_logits);
    const Index ld_x = padded_stride<T>(network_.n_in()), ld_t = padded_stride<T>(network_.n_out());
    Batch batches[2];
    for (Batch& batch : batches) {
        batch.x = Buffer<T>(product(rows, ld_x));
        batch.targets = Buffer<T>(product(rows, ld_t));
        batch.weights = Buffer<T>(rows);
        batch.samples = Buffer<std::int64_t>(rows);
    }
    Buffer<T> row_loss(rows);

    plan_ = std::move(plan);  // nothing fails from here on
    std::move(std::begin(batches), std::end(batches), batches_);
    row_loss_ = std::move(row_loss);
    ld_x_ = ld_x, ld_t_ = ld_t;
}

// What the loss of each sample of a batch is multiplied by, besides the sample's own weight: 1 / the sum of weights,
// for a mean. Each worker computes it for itself, in the same order, so that all get the same bits.
template <class T>
double Trainer<T>::share_of(const Job& job, const MicroBatch& part) const {
    if (job.options.sum) return 1;
    double weight = static_cast<double>(part.batch_rows);
    if (job.samples.weights) {
        weight = 0;
        const MicroBatch batch = {part.batch_first, part.batch_rows, part.batch_first, part.batch_rows};
        check_order(job, batch);
        const auto sample = job.samples_from(part.batch_first);
        for (Index r = 0; r < part.batch_rows; r++) weight += job.samples.weight(sample(r));
    }
    return weight > 0 ? 1 / weight : 0;
}

// First all inputs, then all targets: samples lie all over the memory, and the short loops let the processor wait for
// several of them at once. A very large batch is gathered in blocks, between which the work can be interrupted.
template <class T>
void Trainer<T>::gather(const Job& job, const MicroBatch& part, double share, Batch& batch,
                        const Worker& worker) const {
    check_order(job, part);
    if (worker.id == 0) batch.part = part;
    const Index numbers = job.samples.x.columns + network_.n_out();  // of a sample
    const Index at_once = 1 + (Index(1) << 19) / numbers, last = worker.end(part.rows);
    for (Index begin = worker.begin(part.rows), end; begin < last; begin = end) {
        end = std::min(begin + at_once, last);
        gather_numbers(job, part.first, share, batch, begin, end);
        gather_inputs(job, part.first, batch, begin, end);
        if (loss_.kernel) gather_targets(job, part.first, batch, begin, end);
        worker.worked((end - begin) * numbers / 8);
    }
}

// The functions below take copies of `job.samples`: of a copy the compiler knows that writing to the batch does not
// change it, and keeps it in registers.

template <class T>
void Trainer<T>::gather_numbers(const Job& job, Index first, double share, Batch& batch, Index begin, Index end) const {
    const Samples samples = job.samples;
    const auto sample = job.samples_from(first);
    for (Index r = begin; r < end; r++) {
        batch.samples[r] = samples.number(sample(r));
        batch.weights[r] = static_cast<T>(samples.weight(sample(r)) * share);
    }
}

template <class T>
void Trainer<T>::gather_inputs(const Job& job, Index first, Batch& batch, Index begin, Index end) const {
    const Rows x = job.samples.x;
    const auto sample = job.samples_from(first);
    T* const to = batch.x.data();
    if (x.template is_plain<T>() && network_.input_scaling.empty())
        for (Index r = begin; r < end; r++)
            copy_row(static_cast<const T*>(x.row(sample(r))), x.columns, to + r * ld_x_);
    else
        for (Index r = begin; r < end; r++) x.read(sample(r), to + r * ld_x_, network_.input_scaling);
    if (job.options.random && (network_.input_noise > 0 || network_.input_dropout > 0))
        for (Index r = begin; r < end; r++) add_input_noise(job.options, to + r * ld_x_, batch.samples[r]);
}

template <class T>
void Trainer<T>::gather_targets(const Job& job, Index first, Batch& batch, Index begin, Index end) const {
    const Samples samples = job.samples;
    loss_.read_targets(samples, job.samples_from(first + begin), end - begin, network_.n_out(),
                       batch.targets.data() + begin * ld_t_, ld_t_, network_.output_scaling);
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
BatchInfo Trainer<T>::info_of(const Job& job, const Batch& batch, const MicroBatch& next) const {
    const MicroBatch& part = batch.part;
    return {part.rows,
            part.begins(),
            part.ends(),
            batch.samples.data(),
            job.options.seed,
            job.options.epoch,
            job.options.random,
            batch_moments_,
            {&job.samples.x, job.order, next.first, next.rows}};
}

// If the last layer works by rows, each worker goes on to the loss of its rows without waiting for the others.
template <class T>
void Trainer<T>::forward(Job& job, const Batch& batch, const BatchInfo& info, const Worker& worker) {
    const Inputs<T> inputs = inputs_of(batch);
    plan_.forward(inputs, info, worker);
    Pass<T>& last = plan_.last();
    const bool by_rows = last.works_by_rows();
    if (!by_rows) {
        last.forward(plan_.inputs_of_last(inputs), info, worker);
        worker.barrier();
    }
    const Index end = worker.end(info.rows);
    for (Index begin = worker.begin(info.rows), n; begin < end; begin += n) {
        n = std::min(kRowsTogether, end - begin);
        if (by_rows) last.forward_rows(plan_.inputs_of_last(inputs), begin, begin + n, info, worker);
        worker.worked(n);
        if (loss_.kernel) work_out_loss(job, batch, begin, n);
    }
}

// The losses of n rows, and their gradients with respect to the last layer's products.
template <class T>
void Trainer<T>::work_out_loss(Job& job, const Batch& batch, Index begin, Index n) {
    Pass<T>& last = plan_.last();
    const Index ld = last.ld();
    T *const d = last.d() + begin * ld, *const loss = row_loss_.data() + begin;
    loss_.kernel->rows(last.y() + begin * ld, batch.targets.data() + begin * ld_t_, batch.weights.data() + begin, d,
                       loss, n, last.n_out(), ld, ld_t_, loss_.parameters.data());
    if (!loss_.from_logits) last.times_derivative(d, begin, 0, n, last.padded());
    for (Index r = 0; r < n; r++)
        if (!(loss[r] - loss[r] == 0) && batch.weights[begin + r] != 0)
            job.loss_not_finite.store(true, std::memory_order_relaxed);
}

template <class T>
void Trainer<T>::backward(Job& job, const Batch& batch, const BatchInfo& info, const Worker& worker) {
    if (!plan_.backward(inputs_of(batch), job.lowest, job.d_x != nullptr, info, job.sink, worker))
        job.update_not_finite.store(true, std::memory_order_relaxed);
}

// Whether a step on so many rows may take longer than kLongestWait, on the slowest of processors.
template <class T>
bool Trainer<T>::may_be_long(Index rows) const {
    double numbers = static_cast<double>(network_.n_in());
    for (const auto& layer : network_.layers) numbers += static_cast<double>(layer->n_out());
    return static_cast<double>(rows) * (3 * network_.flops_per_sample() + 100 * numbers) > 1e8;
}

// What a step of the optimizer needs before it begins.
template <class T>
void Trainer<T>::prepare_step(Job& job) {
    for (const auto& layer : network_.layers)
        for (const Parameter<T>* parameter : layer->parameters())
            job.limits_norms |= layer->trainable && parameter->max_norm > 0;
    if (job.keeps_all()) keep_gradients(job);
}

template <class T>
void Trainer<T>::keep_gradients(Job& job) {
    if (kept_gradients_.layout != network_.layout) kept_gradients_ = Gradients<T>(network_);
    job.sink.keep_in(kept_gradients_, network_);
}

// Called by one worker after the forward pass, which is a third of a step's work and tells how long the rest will take.
template <class T>
void Trainer<T>::decide_on_keeping(Job& job) {
    if (!job.sink.optimizer() || job.keeps_all() || !job.may_be_long) return;
    const std::chrono::duration<double> forward = std::chrono::steady_clock::now() - job.step_began;
    job.sink.keep_nowhere();
    if (2 * forward.count() > kLongestWait) keep_gradients(job);
}

// Called by one worker.
template <class T>
void Trainer<T>::add_up(Job& job, const Batch& batch) const {
    const Pass<T>& last = plan_.last();
    const RowResults<T> results{batch.part.rows, last.n_out(), row_loss_.data(), last.y(), batch.targets.data(),
                                last.ld(),       ld_t_,        loss_.threshold()};
    if (batch.part.begins()) job.totals = job.result.totals, job.batch_weight = 0;
    job.samples.add_up(results, job.samples_from(batch.part.first), job.totals, job.batch_weight);
}

// Called by one worker: begins the optimizer's step. From here on the step is not interrupted any more.
template <class T>
void Trainer<T>::begin_step_of(Job& job, const MicroBatch& part, const Worker& worker) {
    job.totals.weight += job.batch_weight;
    job.result.totals = job.totals;
    if (job.sink.optimizer()) job.sink.begin_step(job.learning_rate());
    job.result.next = part.batch_first + part.batch_rows;
    job.result.steps++;
    const auto now = std::chrono::steady_clock::now();
    job.give_way = network_.mutex.is_awaited() && now >= job.turn_ends;
    job.stop = job.result.next >= job.end || worker.shares_cores() || now >= job.pause || job.give_way;
}

// What is left to do after backward() (with kept gradients, after begin_step_of() too).
template <class T>
void Trainer<T>::end_step(Job& job, const BatchInfo& info, const Worker& worker) {
    if (job.moves_statistics) plan_.move_statistics(info, worker);
    if (job.sink.waits() && !job.sink.use_kept(worker)) job.update_not_finite.store(true, std::memory_order_relaxed);
    if (job.limits_norms) limit_norms(worker);
}

// Max-norm (Srivastava et al. 2014): the weights of a unit whose norm has become larger than allowed are scaled down.
template <class T>
void Trainer<T>::limit_norms(const Worker& worker) {
    worker.barrier();
    for (const auto& layer : network_.layers)
        for (Parameter<T>* parameter : layer->parameters()) {
            const Panels<T>& panels = parameter->panels;
            if (parameter->max_norm == 0 || !layer->trainable) continue;
            for (Index p = worker.begin(panels.count); p < worker.end(panels.count); p++)
                kernels<T>().limit_columns(parameter->data() + panels.offset(p), panels.rows, panels.width_of(p),
                                           parameter->max_norm);
        }
}

template <class T>
void Trainer<T>::work(Job& job, const Worker& worker) {
    MicroBatch part = job.first_micro_batch(job.result.next);
    double share = share_of(job, part);
    gather(job, part, share, batches_[0], worker);
    worker.barrier();
    for (int current = 0;; current = 1 - current) {
        const Batch& batch = batches_[current];
        const MicroBatch next = job.after(part);
        const BatchInfo info = info_of(job, batch, next);
        if (job.may_be_long && worker.id == 0) job.step_began = std::chrono::steady_clock::now();
        forward(job, batch, info, worker);
        worker.barrier();
        if (job.loss_not_finite.load(std::memory_order_relaxed)) return;  // nothing has changed yet in this step
        if (worker.id == 0) {
            add_up(job, batch);
            decide_on_keeping(job);
            if (part.ends() && !job.sink.waits()) begin_step_of(job, part, worker);
        }
        // The coefficients of the step have to be there before backward() makes the first update. It has barriers of
        // its own before that, unless it works on the last layer only.
        if (job.may_be_long || job.lowest + 1 >= plan_.size()) worker.barrier();
        backward(job, batch, info, worker);
        if (job.d_x) copy_input_gradients(job, part, worker);
        if (part.ends()) {
            if (job.sink.waits()) {
                worker.barrier();  // after this none of the workers can be interrupted in this step
                if (worker.id == 0) begin_step_of(job, part, worker);
                worker.barrier();
            }
            end_step(job, info, worker);
        }
        if (next.rows > 0) {
            if (next.begins()) share = share_of(job, next);
            gather(job, next, share, batches_[1 - current], worker);
        }
        worker.barrier();
        if (part.ends() && (job.update_not_finite.load(std::memory_order_relaxed) || job.stop)) return;
        part = next;
    }
}

// Seconds after which a run releases the lock for others who wait to predict or to read weights. (If it has itself
// waited for such others, it may take as long as it has waited: FairLock::turn_ends().)
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
    Job job{samples, order, end, options, {&optimizer, nullptr, options.penalty}};
    job.moves_statistics = network_.mixes_samples();
    job.result.next = begin;
    job.result.totals = options.totals;
    if (begin >= end) return job.result;
    const Index rows = std::min(options.batch_size, end - begin);
    if (!network_.mixes_samples()) job.most_rows = kMicroBatchRows;
    job.in_micro_batches = rows > job.most_rows;
    const int team = threads_for(3 * network_.flops_per_sample() * static_cast<double>(rows), options.n_threads);
    allocate(std::min(rows, job.most_rows), team);
    job.lowest = plan_.lowest();
    prepare_step(job);
    network_.changes++;  // nothing can fail for want of memory any more
    batch_moments_ = true;
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
    for (auto now = started; job.result.next < end && now < deadline && !job.loss_not_finite &&
                             !job.update_not_finite && !job.give_way && !interrupted;) {
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
    job.result.outcome = job.loss_not_finite     ? Outcome::loss_not_finite
                         : job.update_not_finite ? Outcome::update_not_finite
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
    Job job{samples, nullptr, samples.x.n, options, {nullptr, out, options.penalty}, d_x};
    if (!network_.mixes_samples()) job.most_rows = kMicroBatchRows;
    const int team = threads_for(3 * network_.flops_per_sample() * static_cast<double>(samples.x.n), options.n_threads);
    allocate(std::min(samples.x.n, job.most_rows), team);
    job.lowest = d_x ? 0 : plan_.lowest();
    if (d_x) plan_.provide_for_inputs();
    batch_moments_ = true;
    kept_rows_ = 0;
    run_team(team, [&](const Worker& worker) { work(job, worker); });
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
