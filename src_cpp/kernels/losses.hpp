// Losses, one a struct: the loss of one output and its derivative side by side; the loss of a sample is the sum or the
// mean over its outputs. Those that go with an output activation are computed from its logits, in one stable formula.
// To add one, write its struct and name it in the list at the end.
#pragma once
#include "kernels/activations.hpp"
#include "kernels/rows.hpp"

namespace foxnn {
namespace {

template <class T>
constexpr T kTiny = sizeof(T) == 4 ? T(1.17549435e-38) : T(2.2250738585072014e-308);  // smallest normal number

enum class Reduction { sum, mean };  // over the outputs

// Szegedy et al. 2016: the share of a target that is spread evenly over all classes. The targets are smoothed as they
// are read, so the losses themselves know nothing of it.
struct LabelSmoothing {
    static constexpr Index n_parameters = 1;
    static constexpr Setting parameters[kMaxParameters] = {{kLabelSmoothing, 0, 0, 1}};
};

// FoxNN 1.0's: half the sum of squares.
struct HalfSquaredError : NoParameters {
    static constexpr const char* name = "half_squared_error";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr Classes classes = Classes::none;
    static constexpr Reduction reduction = Reduction::sum;
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& derivative, const T*) {
        derivative = y - t;
        return derivative * derivative * T(0.5);
    }
};

struct MeanSquaredError : NoParameters {
    static constexpr const char* name = "mean_squared_error";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr Classes classes = Classes::none;
    static constexpr Reduction reduction = Reduction::mean;
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& derivative, const T*) {
        const Vec<T> e = y - t;
        derivative = e * T(2);
        return e * e;
    }
};

struct MeanAbsoluteError : NoParameters {
    static constexpr const char* name = "mean_absolute_error";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr Classes classes = Classes::none;
    static constexpr Reduction reduction = Reduction::mean;
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& derivative, const T*) {
        const Vec<T> e = y - t;
        derivative = e == T(0) ? e : with_sign_of<T>(splat<Vec<T>>(T(1)), e);
        return abs_of<T>(e);
    }
};

// Huber 1964: e^2 / 2 for |e| <= delta, beyond it delta (|e| - delta / 2).
struct Huber {
    static constexpr const char* name = "huber";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr Classes classes = Classes::none;
    static constexpr Reduction reduction = Reduction::mean;
    static constexpr Index n_parameters = 1;
    static constexpr Setting parameters[kMaxParameters] = {{"delta", 1.0, 0, kInfinity, true}};
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& derivative, const T* p) {
        const Vec<T> e = y - t;
        derivative = min(max(e, -p[0]), p[0]);
        return derivative * (e - derivative * T(0.5));
    }
};

// -t log y - (1 - t) log(1 - y), for outputs between 0 and 1.
struct BinaryCrossEntropy : LabelSmoothing {
    static constexpr const char* name = "binary_cross_entropy";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr Classes classes = Classes::two_each;
    static constexpr Reduction reduction = Reduction::mean;
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& derivative, const T*) {
        const Vec<T> yes = max(y, kTiny<T>), no = max(T(1) - y, kTiny<T>);
        derivative = (T(1) - t) / no - t / yes;
        return -(t * log<T>(yes) + (T(1) - t) * log<T>(no));
    }
};

// The same of y = sigmoid(z): log(1 + e^z) - t z.
struct SigmoidCrossEntropy : LabelSmoothing {
    static constexpr const char* name = "binary_cross_entropy";
    static constexpr const char* from_logits_of = "sigmoid";
    static constexpr Classes classes = Classes::two_each;
    static constexpr Reduction reduction = Reduction::mean;
    template <class T>
    static Vec<T> value(Vec<T> z, Vec<T> t, Vec<T>& derivative, const T*) {
        const Vec<T> e = exp<T>(-abs_of<T>(z)), s = (z < T(0) ? e : splat<Vec<T>>(T(1))) / (e + T(1));
        derivative = s - t;
        return max(z, T(0)) - t * z + log1p<T>(e);
    }
};

// -t log y, summed over the classes, for outputs that are probabilities.
struct CrossEntropy : LabelSmoothing {
    static constexpr const char* name = "cross_entropy";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr Classes classes = Classes::one_of_all;
    static constexpr Reduction reduction = Reduction::sum;
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& derivative, const T*) {
        const Vec<T> p = max(y, kTiny<T>);
        derivative = -t / p;
        return -t * log<T>(p);
    }
};

// y - t log y: the negative log-likelihood of a Poisson count t of mean y, without the part that depends on t alone.
struct Poisson : NoParameters {
    static constexpr const char* name = "poisson";
    static constexpr const char* from_logits_of = nullptr;
    static constexpr Classes classes = Classes::none;
    static constexpr Reduction reduction = Reduction::mean;
    template <class T>
    static Vec<T> value(Vec<T> y, Vec<T> t, Vec<T>& derivative, const T*) {
        const Vec<T> mean = max(y, kTiny<T>);
        derivative = T(1) - t / mean;
        return y - t * log<T>(mean);
    }
};

// The same of y = e^z.
struct ExpPoisson : NoParameters {
    static constexpr const char* name = "poisson";
    static constexpr const char* from_logits_of = "exp";
    static constexpr Classes classes = Classes::none;
    static constexpr Reduction reduction = Reduction::mean;
    template <class T>
    static Vec<T> value(Vec<T> z, Vec<T> t, Vec<T>& derivative, const T*) {
        const Vec<T> y = exp<T>(z);
        derivative = y - t;
        return y - t * z;
    }
};

// ---- losses of rows ------------------------------------------------------------------------------------------

// Calls loss(y, t, d, weight) for views of the rows: it writes the gradients d, times the weights, and returns losses.
template <class T, class OfView>
FOXNN_INLINE void for_loss_rows(const T* y, const T* t, const T* weight, T* d, T* loss, Index rows, Index n, Index ld_y,
                                Index ld_t, const OfView& of_view) {
    using V = Vec<T>;
    Block<T> y_block, t_block, d_block;
    for_rows<T>(
        rows, n,
        [&](Index r) {
            store(loss + r, of_view(y_block.read(y + r * ld_y, n, ld_y), t_block.read(t + r * ld_t, n, ld_t),
                                    d_block.view(n), load<V>(weight + r)));
            d_block.write(n, d + r * ld_y, ld_y);
        },
        [&](Index r) {
            const auto view = [n](const T* row) { return RowView<T>{const_cast<T*>(row), n}; };
            loss[r] = of_view(view(y + r * ld_y), view(t + r * ld_t), view(d + r * ld_y), splat<V>(weight[r]))[0];
        });
}

template <class L, class T>
void loss_rows(const T* y, const T* t, const T* weight, T* d, T* loss, Index rows, Index n, Index ld_y, Index ld_t,
               const T* parameters) {
    using V = Vec<T>;
    const T scale = L::reduction == Reduction::mean ? T(1) / static_cast<T>(n) : T(1);
    const auto of_view = [&](auto y, auto t, auto d, V weight) __attribute__((always_inline)) {
        auto sum = y.sum();
        const V share = weight * scale;
        y.each([&](Index at, int part) {
            V derivative;
            const V value = L::template value<T>(y.get(at), t.get(at), derivative, parameters);
            sum.add(part, y.valid(at, value, 0));
            d.set(at, d.valid(at, derivative * share, 0));
        });
        return sum.total() * scale;
    };
    for_loss_rows(y, t, weight, d, loss, rows, n, ld_y, ld_t, of_view);
}

// ---- softmax: needs whole rows ------------------------------------------------------------------------------

// p = e^(z - max z); returns their sum, and the maximum in `top`. p may be z.
template <class T, class View>
FOXNN_INLINE Vec<T> shifted_exponentials(View z, View p, Vec<T>& top) {
    using V = Vec<T>;
    top = splat<V>(T(-kInfinity));
    z.each([&](Index at, int) {
        const V v = z.valid(at, z.get(at), T(-kInfinity));
        top = v > top ? v : top;
    });
    top = z.largest(top);
    auto sum = z.sum();
    z.each([&](Index at, int part) {
        const V e = z.valid(at, exp<T>(z.get(at) - top), 0);
        p.set(at, e);
        sum.add(part, e);
    });
    return sum.total();
}

template <class T, class View>
FOXNN_INLINE void softmax(View y) {
    Vec<T> top;
    const Vec<T> sum = shifted_exponentials<T>(y, y, top);
    y.each([&](Index at, int) { y.set(at, y.get(at) / sum); });
}

template <class T>
void softmax_forward(T* y, T*, Index rows, Index n, Index ld, const T*) {
    Block<T> block;
    for_rows<T>(
        rows, n,
        [&](Index r) {
            softmax<T>(block.read(y + r * ld, n, ld));
            block.write(n, y + r * ld, ld);
        },
        [&](Index r) { softmax<T>(RowView<T>{y + r * ld, n}); });
}

template <class T>
void softmax_columns(T* y, Index n) {
    for (Index half = 0; half < 2; half++) softmax<T>(BlockView<T>{y + half * kLanes<T>, n, 2 * kLanes<T>});
}

// d_i <- y_i (d_i - sum_j d_j y_j)
template <class T>
void softmax_backward(T* d, const T* y, Index rows, Index n, Index ld, const T*) {
    using V = Vec<T>;
    for (Index r = 0; r < rows; r++) {
        const RowView<T> derivative{d + r * ld, n}, p{const_cast<T*>(y) + r * ld, n};
        auto sum = derivative.sum();
        derivative.each(
            [&](Index at, int part) { sum.add(part, derivative.valid(at, derivative.get(at) * p.get(at), 0)); });
        const V dot = sum.total();
        derivative.each([&](Index at, int) { derivative.set(at, p.get(at) * (derivative.get(at) - dot)); });
    }
}

// -sum_j t_j log softmax(z)_j
struct SoftmaxCrossEntropy : LabelSmoothing {
    static constexpr const char* name = "cross_entropy";
    static constexpr const char* from_logits_of = "softmax";
    static constexpr Classes classes = Classes::one_of_all;
};

template <class T>
void softmax_cross_entropy_rows(const T* z, const T* t, const T* weight, T* d, T* loss, Index rows, Index n, Index ld_y,
                                Index ld_t, const T*) {
    using V = Vec<T>;
    const auto of_view = [](auto z, auto t, auto d, V weight) __attribute__((always_inline)) {
        V top;
        const V sum = shifted_exponentials<T>(z, d, top), log_sum = log<T>(sum);
        auto value = z.sum(), mass = z.sum();
        z.each([&](Index at, int part) {
            value.add(part, z.valid(at, t.get(at) * (log_sum - (z.get(at) - top)), 0));
            mass.add(part, t.get(at));
        });
        const V share = mass.total() / sum;  // the targets of a row need not add up to 1
        z.each([&](Index at, int) { d.set(at, (d.get(at) * share - t.get(at)) * weight); });
        return value.total();
    };
    for_loss_rows(z, t, weight, d, loss, rows, n, ld_y, ld_t, of_view);
}

// Where a loss stands twice, the entry for the logits comes first.
using Losses = List<HalfSquaredError, MeanSquaredError, MeanAbsoluteError, Huber, SigmoidCrossEntropy,
                    BinaryCrossEntropy, SoftmaxCrossEntropy, CrossEntropy, ExpPoisson, Poisson>;

}  // namespace
}  // namespace foxnn
