// A view of the user's data, in the number type it has, and the gathering of batches out of it.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "core/scaling.hpp"
#include "kernels/dispatch.hpp"

namespace foxnn {

enum class Source { u8, f32, f64 };

// The weight of a sample is 0 or lies between these: so the sums of weights, the reciprocals of these sums, and the
// products of weights and losses stay finite.
constexpr double kLeastWeight = 1e-300, kMostWeight = 1e200;

// Copies n numbers; short rows without a call, which would take longer than the copying.
template <class T>
inline void copy_row(const T* in, Index n, T* out) {
    constexpr Index piece = 16 / sizeof(T);
    if (n > 4 * piece) {
        std::memcpy(out, in, static_cast<std::size_t>(n) * sizeof(T));
    } else if (n >= piece) {
        for (Index j = 0; j + piece < n; j += piece) std::memcpy(out + j, in + j, 16);
        std::memcpy(out + n - piece, in + n - piece, 16);  // may overlap the piece before
    } else {
        for (Index j = 0; j < n; j++) out[j] = in[j];
    }
}

// Rows (n, columns) of any of these types, each row contiguous; read as x * scale + offset.
struct Rows {
    const void* data = nullptr;
    Source type = Source::f32;
    Index n = 0, columns = 0, stride = 0;
    double scale = 1, offset = 0;

    Index number_bytes() const { return type == Source::u8 ? 1 : type == Source::f32 ? 4 : 8; }
    Index row_bytes() const { return columns * number_bytes(); }
    const void* row(Index i) const { return static_cast<const char*>(data) + i * stride * number_bytes(); }
    template <class T>
    bool is_plain() const {  // can be read in place
        return type == (sizeof(T) == 4 ? Source::f32 : Source::f64) && scale == 1 && offset == 0;
    }
    template <class T>
    void read(Index i, T* out, const Scaling& scaling) const {
        if (scaling.empty()) return read(i, out);
        const Kernels<T>& k = kernels<T>();
        const double *const shift = scaling.shift.data(), *const factor = scaling.factor.data();
        switch (type) {
            case Source::u8:
                k.scale_u8(static_cast<const std::uint8_t*>(row(i)), columns, scale, offset, shift, factor, out);
                break;
            case Source::f32:
                k.scale_f32(static_cast<const float*>(row(i)), columns, scale, offset, shift, factor, out);
                break;
            case Source::f64:
                k.scale_f64(static_cast<const double*>(row(i)), columns, scale, offset, shift, factor, out);
                break;
        }
    }
    template <class T>
    void read(Index i, T* out) const {
        if (is_plain<T>()) {
            copy_row(static_cast<const T*>(row(i)), columns, out);
            return;
        }
        const Kernels<T>& k = kernels<T>();
        const T s = static_cast<T>(scale), o = static_cast<T>(offset);
        switch (type) {
            case Source::u8:
                k.convert_u8(static_cast<const std::uint8_t*>(row(i)), columns, s, o, out);
                break;
            case Source::f32:
                k.convert_f32(static_cast<const float*>(row(i)), columns, s, o, out);
                break;
            case Source::f64:
                k.convert_f64(static_cast<const double*>(row(i)), columns, s, o, out);
                break;
        }
    }
};

// The rows of the next batch: those at the positions [first, first + n) of an order (null: 0, 1, ..).
struct UpcomingRows {
    const Rows* rows = nullptr;
    const std::int64_t* order = nullptr;
    Index first = 0, n = 0;

    Index row(Index i) const { return order ? static_cast<Index>(order[first + i]) : first + i; }
};

// Prefetches the rows of the next batch into a near cache while the current batch is worked on; in shuffled data they
// lie all over the memory. Each call prefetches a few cache lines, as many as it takes for about `calls` calls to fetch
// all rows. Does nothing if the rows do not fit into that cache, or if all of the data does: then it is there already.
class RowsAhead {
  public:
    // Those with the numbers [begin, end).
    RowsAhead(const UpcomingRows& upcoming, Index begin, Index end, Index calls)
        : upcoming_(upcoming), row_(begin), end_(end) {
        if (begin >= end) return;
        const Rows& rows = *upcoming.rows;
        const Index bytes = (end - begin) * rows.row_bytes();
        const bool too_many = bytes > kRoom, there_already = rows.n * rows.row_bytes() <= kRoom;
        if (too_many || there_already) row_ = end;
        lines_per_call_ = bytes / kLine / std::max<Index>(calls, 1) + 1;
    }
    void operator()() {
        for (Index i = 0; i < lines_per_call_ && row_ < end_; i++) {
            const Rows& rows = *upcoming_.rows;
            __builtin_prefetch(static_cast<const char*>(rows.row(upcoming_.row(row_))) + byte_, 0, 2);
            byte_ += kLine;
            if (byte_ >= rows.row_bytes()) byte_ = 0, row_++;
        }
    }

  private:
    static constexpr Index kLine = 64, kRoom = 128 * 1024;  // of the second nearest cache, for these rows
    const UpcomingRows upcoming_;
    Index row_, end_, byte_ = 0;  // where the next line is
    Index lines_per_call_ = 0;
};

// Position of the first of the largest numbers.
template <class T>
Index argmax(const T* v, Index n) {
    Index best = 0;
    T largest = v[0];
    for (Index j = 1; j < n; j++) {  // without branches, which could not be predicted
        const bool larger = v[j] > largest;
        largest = larger ? v[j] : largest;
        best = larger ? j : best;
    }
    return best;
}

// When a sample counts as correct, for the accuracy: never; if its largest output is that of its largest target (or of
// its class); if each of its outputs is on the same side of the threshold as its target is of one half.
enum class Correct { not_counted, largest, sides };

// What a run or an evaluation adds up: divide by `weight` for means.
struct Totals {
    double loss = 0, weight = 0, correct = 0;
};

// The losses, outputs and targets of some samples.
template <class T>
struct RowResults {
    Index rows, n_out;
    const T *loss, *y, *t;
    Index ld_y, ld_t;
    T threshold;  // outputs above it are on the upper side
};

// Inputs with their targets: either rows of numbers or a class each (which stands for a one-hot row).
struct Samples {
    Rows x, y;
    const std::int64_t* labels = nullptr;   // (n,), used if not null; each from 0 to label_end - 1
    const double* weights = nullptr;        // (n,), or null: all 1
    const std::int64_t* numbers = nullptr;  // (n,): which samples of a larger whole these are; null: 0, 1, ..
    Correct correct = Correct::not_counted;
    std::int64_t label_end = 0;

    double weight(Index i) const { return weights ? weights[i] : 1; }
    std::int64_t number(Index i) const { return numbers ? numbers[i] : i; }
    // t (rows, n_out), `ld` from row to row and padded to whole vectors: the targets of sample(0), sample(1), and so
    // on.
    template <class T, class Sample>
    void read_targets(const Sample& sample, Index rows, Index n_out, T* t, Index ld, const Scaling& scaling) const {
        if (!labels) {
            for (Index r = 0; r < rows; r++) y.read(sample(r), t + r * ld, scaling);
        } else if (n_out == 1) {  // a class of two: 0 or 1
            for (Index r = 0; r < rows; r++) t[r * ld] = static_cast<T>(labels[sample(r)]);
        } else {
            for (Index r = 0; r < rows; r++, t += ld) {
                for (Index j = 0; j < n_out; j += 16 / sizeof(T)) std::memset(t + j, 0, 16);
                t[labels[sample(r)]] = 1;
            }
        }
    }
    // Adds the results of rows to totals; the first row is that of sample(0), the next one of sample(1), and so on.
    template <class T, class Sample>
    void add_up(const RowResults<T>& results, const Sample& sample, Totals& totals) const {
        double weight = 0;
        add_up(results, sample, totals, weight);
        totals.weight += weight;
    }
    // The same, but the weights are added to a sum of their own: that of a batch is added to the totals as a whole.
    template <class T, class Sample>
    void add_up(const RowResults<T>& results, const Sample& sample, Totals& totals, double& weights_sum) const {
        Totals sum = totals;
        double weight_sum = weights_sum;
        for (Index r = 0; r < results.rows; r++) {
            const Index i = sample(r);
            const double w = weight(i);
            weight_sum += w;
            if (w == 0) continue;  // its loss may be infinite or NaN
            sum.loss += w * static_cast<double>(results.loss[r]);
            if (correct != Correct::not_counted) sum.correct += is_correct(i, r, results) ? w : 0;
        }
        totals = sum, weights_sum = weight_sum;
    }

  private:
    // Whether the outputs of sample i, in row r, agree with its targets.
    template <class T>
    bool is_correct(Index i, Index r, const RowResults<T>& results) const {
        const T *const y = results.y + r * results.ld_y, *const t = results.t + r * results.ld_t;
        if (correct == Correct::largest)
            return argmax(y, results.n_out) == (labels ? labels[i] : argmax(t, results.n_out));
        for (Index j = 0; j < results.n_out; j++)
            if ((y[j] > results.threshold) != (t[j] > T(0.5))) return false;
        return true;
    }
};

}  // namespace foxnn
