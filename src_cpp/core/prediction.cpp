// The way forward through a network: prediction and evaluation.
#include <atomic>
#include <optional>
#include <shared_mutex>

#include "core/narrow.hpp"
#include "core/network.hpp"
#include "core/threads.hpp"

namespace foxnn {
namespace {

// Rows that go through the whole network together: a few tiles high, so that activations stay in the cache.
constexpr Index kBlockRows = 96;

// Memory for activations. Up to 4 MB are kept by each thread for its next call; more is freed.
template <class T>
class Scratch {
  public:
    explicit Scratch(Index size) {
        constexpr Index kept = (Index(4) << 20) / sizeof(T);
        thread_local Buffer<T> of_thread;
        if (size <= kept)
            of_thread.grow(size);
        else
            large_ = Buffer<T>(size);
        data_ = size <= kept ? of_thread.data() : large_.data();
    }
    T* data() const { return data_; }

  private:
    Buffer<T> large_;
    T* data_;
};

}  // namespace

template <class T>
void Network<T>::check(const Samples& samples, bool with_targets) const {
    if (samples.x.columns != n_in()) throw std::invalid_argument("x: wrong width");
    if (!with_targets) return;
    if (samples.labels && !output_scaling.empty())
        throw std::invalid_argument("y: got classes; with scale_outputs it takes values");
    if (samples.labels ? n_out() > 1 && samples.label_end > n_out() : samples.y.columns != n_out())
        throw std::invalid_argument("y: it takes targets for the outputs");
}

// The caller shares the lock, so the network does not change, and what this returns stays valid until it is released.
template <class T>
const Network<T>& Network<T>::folded() const {
    const std::lock_guard guard(folding_);
    if (!folded_ || folded_changes_ != changes) {
        folded_ = copy_locked(true);
        folded_changes_ = changes;
    }
    return *folded_;
}

template <class T>
Index Network<T>::widest_hidden_stride(bool odd) const {
    Index widest = 0;
    for (std::size_t l = odd; l + 1 < layers.size(); l += 2)
        widest = std::max(widest, padded_stride<T>(layers[l]->n_out()));
    return widest;
}

template <class T>
void Network<T>::forward_block(const Worker& worker, const T* x, Index ldx, Index rows, T* a, T* b, T* y, Index ldy,
                               bool logits) const {
    for (std::size_t l = 0; l < layers.size(); l++) {
        const bool last = l + 1 == layers.size();
        T* out = last ? y : a;
        const Index ld = last ? ldy : padded_stride<T>(layers[l]->n_out());
        layers[l]->predict({x, ldx}, rows, out, ld, last && logits, worker);
        x = out, ldx = ld;
        std::swap(a, b);
    }
}

// Through dense layers.
template <class T>
void Network<T>::predict_row(const T* x, T* out) const {
    const Scratch<T> memory(2 * widest_stride_);
    T *a = memory.data(), *b = a + widest_stride_;
    for (const Dense<T>* layer : dense_) {
        layer->predict_row(x, a);
        x = a;
        std::swap(a, b);
    }
    std::copy_n(x, n_out(), out);
}

template <class T>
bool Network<T>::predict(const Rows& x, T* out, int n_threads, bool check) const {
    const std::shared_lock lock(mutex);
    return predict_locked(x, out, n_threads, check);
}

template <class T>
bool Network<T>::predict_if_free(const Rows& x, T* out, int n_threads) const {
    const std::shared_lock lock(mutex, std::try_to_lock);
    if (lock) predict_locked(x, out, n_threads, false);
    return lock.owns_lock();
}

template <class T>
bool Network<T>::predict_locked(const Rows& x, T* out, int n_threads, bool check) const {
    if (mixes_samples()) return folded().predict_locked(x, out, n_threads, check);
    const bool plain = x.is_plain<T>() && input_scaling.empty();
    if (x.n == 1 && plain && output_scaling.empty() && !dense_.empty()) {
        if (check && !kernels<T>().all_finite(static_cast<const T*>(x.data), x.columns)) return false;
        predict_row(static_cast<const T*>(x.data), out);
        return true;
    }

    const Index ld_in = plain ? 0 : padded_stride<T>(n_in()), ldx = plain ? x.stride : ld_in,
                ld_a = widest_hidden_stride(false), ld_b = widest_hidden_stride(true), ld_y = padded_stride<T>(n_out());
    const Index together = NarrowNetwork<T>::rows();
    const bool narrow = x.n >= 2 * together && NarrowNetwork<T>::fits(dense_);
    const Index blocks = (x.n + kBlockRows - 1) / kBlockRows, most_rows = std::min(kBlockRows, x.n);
    const int team = threads_for(flops_per_sample() * static_cast<double>(x.n), n_threads);
    std::atomic<Index> next{0};  // block to be done: whoever is free takes it
    std::atomic<bool> finite{true};
    run_team(static_cast<int>(std::min<Index>(team, blocks)), [&](const Worker& worker) {
        const Scratch<T> memory(most_rows * (ld_in + ld_a + ld_b + ld_y) +
                                (narrow ? NarrowNetwork<T>::size(dense_) : 0));
        T *const in = memory.data(), *const a = in + most_rows * ld_in, *const b = a + most_rows * ld_a,
                 *const y = b + most_rows * ld_b;
        std::optional<NarrowNetwork<T>> turned;
        if (narrow) turned.emplace(dense_, y + most_rows * ld_y);
        for (Index block; (block = next.fetch_add(1, std::memory_order_relaxed)) < blocks;) {
            const Index first = block * kBlockRows, rows = std::min(kBlockRows, x.n - first);
            const T* from = static_cast<const T*>(x.data) + first * x.stride;
            if (check && !kernels<T>().all_finite(
                             from, rows * x.columns)) {  // right before they are read, which brings them into the cache
                finite = false;
                return;
            }
            if (!plain) {
                for (Index r = 0; r < rows; r++) x.read(first + r, in + r * ld_in, input_scaling);
                from = in;
            }
            worker.worked(rows);
            T* const to = out + first * n_out();
            Index done = 0;
            for (; narrow && done + together <= rows; done += together)
                turned->predict(from + done * ldx, ldx, to + done * n_out());
            if (!output_scaling.empty())
                for (Index r = 0; r < done; r++) output_scaling.undo(to + r * n_out(), to + r * n_out());
            if (done == rows) continue;
            forward_block(worker, from + done * ldx, ldx, rows - done, a, b, y, ld_y, false);
            for (Index r = done; r < rows; r++) hand_out(y + (r - done) * ld_y, to + r * n_out());
        }
    });
    return finite;
}

template <class T>
Totals Network<T>::evaluate(const Samples& samples, const NetworkLoss<T>& loss, int n_threads) const {
    const std::shared_lock lock(mutex);
    check(samples, true);
    if (mixes_samples()) return folded().evaluate(samples, loss, n_threads);
    const Index n = samples.x.n, n_out = this->n_out(), ld_in = padded_stride<T>(n_in()),
                ld_a = widest_hidden_stride(false), ld_b = widest_hidden_stride(true), ld = padded_stride<T>(n_out);
    const Index blocks = (n + kBlockRows - 1) / kBlockRows, most_rows = std::min(kBlockRows, n);
    std::vector<Totals> totals(static_cast<std::size_t>(blocks));
    const int team = threads_for(flops_per_sample() * static_cast<double>(n), n_threads);
    std::atomic<Index> next{0};
    run_team(static_cast<int>(std::min<Index>(team, blocks)), [&](const Worker& worker) {
        const Scratch<T> memory(most_rows * (ld_in + ld_a + ld_b + 3 * ld + 2));
        T *const in = memory.data(), *const a = in + most_rows * ld_in, *const b = a + most_rows * ld_a,
                 *const y = b + most_rows * ld_b, *const d = y + most_rows * ld, *const t = d + most_rows * ld,
                 *const ones = t + most_rows * ld, *const row_loss = ones + most_rows;
        std::fill_n(ones, most_rows, T(1));
        for (Index block; (block = next.fetch_add(1, std::memory_order_relaxed)) < blocks;) {
            const Index first = block * kBlockRows, rows = std::min(kBlockRows, n - first);
            const auto sample = [first](Index r) { return first + r; };
            for (Index r = 0; r < rows; r++) samples.x.read(sample(r), in + r * ld_in, input_scaling);
            std::fill_n(t, rows * ld, T(0));
            loss.read_targets(samples, sample, rows, n_out, t, ld, output_scaling);
            forward_block(worker, in, ld_in, rows, a, b, y, ld, loss.from_logits);
            loss.kernel->rows(y, t, ones, d, row_loss, rows, n_out, ld, ld, loss.parameters.data());
            const RowResults<T> results{rows, n_out, row_loss, y, t, ld, ld, loss.threshold()};
            samples.add_up(results, sample, totals[block]);
            worker.worked(rows);
        }
    });
    Totals sum;
    for (const Totals& t : totals) sum.loss += t.loss, sum.weight += t.weight, sum.correct += t.correct;
    return sum;
}

template class Network<float>;
template class Network<double>;

}  // namespace foxnn
