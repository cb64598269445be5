// Losses, one a struct: the loss of one output and its derivative side by side; the loss of a sample is the sum or the
// mean over its outputs. Those that go with an output activation are computed from its logits, in one stable formula.
// To add one, write its struct and name it in the list at the end.
#pragma once
#include "kernels/activations.hpp"

namespace foxnn {
namespace {

// A sum in 16 interleaved parts, whatever the vectors' width, so that its bits do not depend on it.
template <class T>
struct FixedSum {
    static constexpr int n_vectors = 16 / kLanes<T>;
    Vec<T> part[n_vectors] = {};

    FOXNN_INLINE void add(int vector, Vec<T> v) { part[vector] += v; }
    FOXNN_INLINE T total() {
        int width = n_vectors;
        while (width > 1) {  // first whole vectors, then lanes
            width /= 2;
#pragma GCC unroll 8
            for (int i = 0; i < width; i++) part[i] += part[i + width];
        }
        T lane[kLanes<T>];
        store(lane, part[0]);
#pragma GCC unroll 4
        for (int half = kLanes<T> / 2; half >= 1; half /= 2)
#pragma GCC unroll 8
            for (int i = 0; i < half; i++) lane[i] += lane[i + half];
        return lane[0];
    }
};

// Calls step(column, vector) for the vectors that hold n columns; `vector` is their number in a FixedSum.
template <class T, class Step>
FOXNN_INLINE void for_columns(Index n, const Step& step) {
    for (Index c = 0; c < n; c += 16)
#pragma GCC unroll 8
        for (int vector = 0; vector < FixedSum<T>::n_vectors; vector++)
            if (c + vector * kLanes<T> < n) step(c + vector * kLanes<T>, vector);
}

template <class T>
FOXNN_INLINE IntVec<T> inside(Index column, Index n) {
    return lane_numbers<T>() < static_cast<typename Number<T>::Int>(n - column);
}
template <class T>
constexpr T kTiny = sizeof(T) == 4 ? T(1.17549435e-38) : T(2.2250738585072014e-308);  // smallest normal number

enum class Reduction { sum, mean };  // over the outputs

// FoxNN 1.0's: half the sum of squares.
struct HalfSquaredError : NoParameters {
    static constexpr const char* name = "half_squared_error";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr bool classification = false;
    static constexpr Reduction reduction = Reduction::sum;
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& slope, const T*) {
        slope = y - t;
        return slope * slope * T(0.5);
    }
};

struct MeanSquaredError : NoParameters {
    static constexpr const char* name = "mean_squared_error";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr bool classification = false;
    static constexpr Reduction reduction = Reduction::mean;
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& slope, const T*) {
        const Vec<T> e = y - t;
        slope = e * T(2);
        return e * e;
    }
};

struct MeanAbsoluteError : NoParameters {
    static constexpr const char* name = "mean_absolute_error";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr bool classification = false;
    static constexpr Reduction reduction = Reduction::mean;
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& slope, const T*) {
        const Vec<T> e = y - t;
        slope = e == T(0) ? e : with_sign_of<T>(splat<Vec<T>>(T(1)), e);
        return abs_of<T>(e);
    }
};

// Huber 1964: e^2 / 2 for |e| <= delta, beyond it delta (|e| - delta / 2).
struct Huber {
    static constexpr const char* name = "huber";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr bool classification = false;
    static constexpr Reduction reduction = Reduction::mean;
    static constexpr Index n_parameters = 1;
    static constexpr Parameter parameters[kMaxParameters] = {{"delta", 1.0, 0, kInfinity, true}};
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& slope, const T* p) {
        const Vec<T> e = y - t;
        slope = min(max(e, -p[0]), p[0]);
        return slope * (e - slope * T(0.5));
    }
};

// -t log y - (1 - t) log(1 - y), for outputs between 0 and 1.
struct BinaryCrossEntropy : NoParameters {
    static constexpr const char* name = "binary_cross_entropy";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr bool classification = true;
    static constexpr Reduction reduction = Reduction::mean;
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& slope, const T*) {
        const Vec<T> yes = max(y, kTiny<T>), no = max(T(1) - y, kTiny<T>);
        slope = (T(1) - t) / no - t / yes;
        return -(t * log<T>(yes) + (T(1) - t) * log<T>(no));
    }
};

// The same of y = sigmoid(z): log(1 + e^z) - t z.
struct SigmoidCrossEntropy : NoParameters {
    static constexpr const char* name = "binary_cross_entropy";
    static constexpr const char* from_logits_of = "sigmoid";
    static constexpr bool classification = true;
    static constexpr Reduction reduction = Reduction::mean;
    template <class T>
    static Vec<T> value(Vec<T> z, Vec<T> t, Vec<T>& slope, const T*) {
        const Vec<T> e = exp<T>(-abs_of<T>(z)), s = (z < T(0) ? e : splat<Vec<T>>(T(1))) / (e + T(1));
        slope = s - t;
        return max(z, T(0)) - t * z + log1p<T>(e);
    }
};

// -t log y, summed over the classes, for outputs that are probabilities.
struct CrossEntropy : NoParameters {
    static constexpr const char* name = "cross_entropy";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr bool classification = true;
    static constexpr Reduction reduction = Reduction::sum;
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& slope, const T*) {
        const Vec<T> p = max(y, kTiny<T>);
        slope = -t / p;
        return -t * log<T>(p);
    }
};

// y - t log y: the negative log-likelihood of a Poisson count t of mean y, without the part that depends on t alone.
struct Poisson : NoParameters {
    static constexpr const char* name = "poisson";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr bool classification = false;
    static constexpr Reduction reduction = Reduction::mean;
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& slope, const T*) {
        const Vec<T> mean = max(y, kTiny<T>);
        slope = T(1) - t / mean;
        return y - t * log<T>(mean);
    }
};

// The same of y = e^z.
struct ExpPoisson : NoParameters {
    static constexpr const char* name = "poisson";
    static constexpr const char* from_logits_of = "exp";
    static constexpr bool classification = false;
    static constexpr Reduction reduction = Reduction::mean;
    template <class T>
    static Vec<T> value(Vec<T> z, Vec<T> t, Vec<T>& slope, const T*) {
        const Vec<T> y = exp<T>(z);
        slope = y - t;
        return y - t * z;
    }
};

template <class L, class T>
void loss_rows(const T* y, const T* t, const T* weight, T* d, T* loss, Index rows, Index n, Index ld_y, Index ld_t,
               const T* parameters) {
    using V = Vec<T>;
    const T scale = L::reduction == Reduction::mean ? T(1) / static_cast<T>(n) : T(1);
    for (Index r = 0; r < rows; r++) {
        FixedSum<T> sum;
        for_columns<T>(n, [&](Index c, int vector) {
            V slope;
            const V value =
                L::template value<T>(load<V>(y + r * ld_y + c), load<V>(t + r * ld_t + c), slope, parameters);
            const IntVec<T> valid = inside<T>(c, n);
            sum.add(vector, valid ? value : V{});
            store(d + r * ld_y + c, valid ? slope * (weight[r] * scale) : V{});
        });
        loss[r] = sum.total() * scale;
    }
}

// ---- softmax: needs whole rows ------------------------------------------------------------------------------

// p (n,) = e^(z - max z); returns their sum, and the maximum in `top`. p may be z.
template <class T>
T shifted_exponentials(const T* z, Index n, T* p, T& top) {
    using V = Vec<T>;
    V most = splat<V>(T(-kInfinity));
    for (Index c = 0; c < n; c += kLanes<T>) {
        const V v = inside<T>(c, n) ? load<V>(z + c) : most;
        most = v > most ? v : most;
    }
    top = most[0];
    for (Index i = 1; i < kLanes<T>; i++) top = most[i] > top ? most[i] : top;
    FixedSum<T> sum;
    for_columns<T>(n, [&](Index c, int vector) {
        const V e = inside<T>(c, n) ? exp<T>(load<V>(z + c) - top) : V{};
        store(p + c, e);
        sum.add(vector, e);
    });
    return sum.total();
}

template <class T>
void softmax_forward(T* y, T*, Index rows, Index n, Index ld, const T*) {
    for (Index r = 0; r < rows; r++) {
        T top, *row = y + r * ld;
        const T sum = shifted_exponentials(row, n, row, top);
        for (Index c = 0; c < n; c += kLanes<T>) store(row + c, load<Vec<T>>(row + c) / sum);
    }
}

// d_i <- y_i (d_i - sum_j d_j y_j)
template <class T>
void softmax_backward(T* d, const T* y, Index rows, Index n, Index ld, const T*) {
    using V = Vec<T>;
    for (Index r = 0; r < rows; r++) {
        T* row = d + r * ld;
        const T* p = y + r * ld;
        FixedSum<T> sum;
        for_columns<T>(n, [&](Index c, int vector) {
            sum.add(vector, inside<T>(c, n) ? load<V>(row + c) * load<V>(p + c) : V{});
        });
        const T dot = sum.total();
        for (Index c = 0; c < n; c += kLanes<T>) store(row + c, load<V>(p + c) * (load<V>(row + c) - dot));
    }
}

// -sum_j t_j log softmax(z)_j
struct SoftmaxCrossEntropy : NoParameters {
    static constexpr const char* name = "cross_entropy";
    static constexpr const char* from_logits_of = "softmax";
    static constexpr bool classification = true;
};

template <class T>
void softmax_cross_entropy_rows(const T* z, const T* t, const T* weight, T* d, T* loss, Index rows, Index n, Index ld_y,
                                Index ld_t, const T*) {
    using V = Vec<T>;
    for (Index r = 0; r < rows; r++) {
        const T *logits = z + r * ld_y, *target = t + r * ld_t;
        T top, *row = d + r * ld_y;
        const T sum = shifted_exponentials(logits, n, row, top);
        const T log_sum = log<T>(splat<V>(sum))[0];
        FixedSum<T> value, mass;
        for_columns<T>(n, [&](Index c, int vector) {
            const V tv = load<V>(target + c);
            value.add(vector, inside<T>(c, n) ? tv * (log_sum - (load<V>(logits + c) - top)) : V{});
            mass.add(vector, tv);
        });
        loss[r] = value.total();
        const T share = mass.total() / sum;  // the targets of a row need not add up to 1
        for (Index c = 0; c < n; c += kLanes<T>)
            store(row + c, (load<V>(row + c) * share - load<V>(target + c)) * weight[r]);
    }
}

// Where a loss stands twice, the entry for the logits comes first.
using Losses = List<HalfSquaredError, MeanSquaredError, MeanAbsoluteError, Huber, SigmoidCrossEntropy,
                    BinaryCrossEntropy, SoftmaxCrossEntropy, CrossEntropy, ExpPoisson, Poisson>;

}  // namespace
}  // namespace foxnn
