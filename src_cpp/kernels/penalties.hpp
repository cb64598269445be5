// What keeps weights and gradients small: the gradient of the L1 and L2 penalties, norms of gradients, and limits to
// the norms of a layer's columns.
#pragma once
#include "kernels/simd.hpp"

namespace foxnn {
namespace {

// g + l1 sign(w) + l2 w
template <class T>
FOXNN_INLINE Vec<T> penalised(Vec<T> g, Vec<T> w, T l1, T l2) {
    g = fma(w, splat<Vec<T>>(l2), g);
    return g + (w == T(0) ? Vec<T>{} : with_sign_of<T>(splat<Vec<T>>(l1), w));
}

template <class T>
void penalise(T* g, const T* w, Index n, T l1, T l2) {
    using V = Vec<T>;
    for (Index i = 0; i < n; i += kLanes<T>) store(g + i, penalised<T>(load<V>(g + i), load<V>(w + i), l1, l2));
}

// In double precision, whose range the squares of single precision do not leave.
template <class T>
void column_squares(const T* g, Index rows, Index columns, double* out) {
    constexpr Index L = kLanes<T>;
    for (Index c = 0; c < columns; c += L) {
        double sum[L] = {};
        for (Index r = 0; r < rows; r++)
            for (Index j = 0; j < L; j++) {
                const double v = static_cast<double>(g[r * columns + c + j]);
                sum[j] += v * v;
            }
        for (Index j = 0; j < L; j++) out[c + j] = sum[j];
    }
}

// Max-norm (Srivastava et al. 2014): the columns are the weights into one unit each.
template <class T>
void limit_columns(T* w, Index rows, Index columns, T most) {
    using V = Vec<T>;
    // Where squares would overflow, the weights are first made smaller by so much.
    constexpr T tiny = sizeof(T) == 4 ? T(0x1p-80) : T(0x1p-600);
    const auto norms = [&](const T* column) {
        V sum = {};
        for (Index r = 0; r < rows; r++) {
            const V v = load<V>(column + r * columns);
            sum = fma(v, v, sum);
        }
        return sqrt(sum);
    };
    // Only where it is too long: even a product with 1 would make a denormal number zero in training.
    const auto scale = [&](T* column, auto where, V factor) {
        for (Index r = 0; r < rows; r++) {
            const V v = load<V>(column + r * columns);
            store(column + r * columns, where ? v * factor : v);
        }
    };
    for (Index c = 0; c < columns; c += kLanes<T>) {
        V norm = norms(w + c);
        const auto huge = norm - norm != T(0);
        if (any(huge)) {
            scale(w + c, huge, splat<V>(tiny));
            norm = norms(w + c);
        }
        const auto too_long = huge | (norm > most);
        if (any(too_long)) scale(w + c, too_long, most / norm);
    }
}

}  // namespace
}  // namespace foxnn
