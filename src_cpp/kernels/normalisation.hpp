// Normalisation of z, of its columns over the batch (Ioffe and Szegedy 2015) or of its rows (Ba et al. 2016):
// normal = (z - mean) / sqrt(variance + epsilon), y = gamma normal + beta; and the way back, from the gradient d of y
// to that of z. Sums over rows go in their order.
#pragma once
#include "kernels/rows.hpp"

namespace foxnn {
namespace {

// term(row), summed in parts of some rows, so that a long sum keeps its digits, and added to `sum`.
template <class T, class Term>
FOXNN_INLINE Vec<T> sum_of_rows(Index rows, const Term& term, Vec<T> sum = Vec<T>{}) {
    constexpr Index most = 128;
    for (Index begin = 0; begin < rows; begin += most) {
        Vec<T> part = {};
        for (Index r = begin; r < rows && r < begin + most; r++) part += term(r);
        sum += part;
    }
    return sum;
}

template <class T>
void column_moments(const T* z, Index rows, Index columns, Index ld, T* mean, T* variance) {
    using V = Vec<T>;
    const T n = static_cast<T>(rows);
    for (Index c = 0; c < columns; c += kLanes<T>) {
        const V m = sum_of_rows<T>(rows, [&](Index r) { return load<V>(z + r * ld + c); }) / n;
        const V squares = sum_of_rows<T>(rows, [&](Index r) {
            const V e = load<V>(z + r * ld + c) - m;
            return e * e;
        });
        store(mean + c, m);
        store(variance + c, squares / n);
    }
}

template <class T>
void normalise_columns(T* z, T* y, Index rows, Index columns, Index ld, const T* mean, const T* inverse, const T* gamma,
                       const T* beta) {
    using V = Vec<T>;
    for (Index r = 0; r < rows; r++)
        for (Index c = 0; c < columns; c += kLanes<T>) {
            const V normal = (load<V>(z + r * ld + c) - load<V>(mean + c)) * load<V>(inverse + c);
            store(z + r * ld + c, normal);
            store(y + r * ld + c, fma(load<V>(gamma + c), normal, load<V>(beta + c)));
        }
}

template <class T>
void norm_parameter_gradients(const T* d, const T* normal, Index rows, Index columns, Index ld, bool add, T* d_gamma,
                              T* d_beta) {
    using V = Vec<T>;
    for (Index c = 0; c < columns; c += kLanes<T>) {
        const auto at = [&](const T* array, Index r) { return load<V>(array + r * ld + c); };
        const auto before = [&](const T* sums) { return add ? load<V>(sums + c) : V{}; };
        store(d_gamma + c, sum_of_rows<T>(rows, [&](Index r) { return at(d, r) * at(normal, r); }, before(d_gamma)));
        store(d_beta + c, sum_of_rows<T>(rows, [&](Index r) { return at(d, r); }, before(d_beta)));
    }
}

// The mean and the variance depend on z as well, each row's share of them being `share`.
template <class T>
void batch_norm_gradient(T* d, const T* normal, Index rows, Index columns, Index ld, const T* gamma, const T* inverse,
                         const T* d_gamma, const T* d_beta, T share) {
    using V = Vec<T>;
    for (Index r = 0; r < rows; r++)
        for (Index c = 0; c < columns; c += kLanes<T>) {
            T* const at = d + r * ld + c;
            const V through_moments = fma(load<V>(normal + r * ld + c), load<V>(d_gamma + c), load<V>(d_beta + c));
            store(at, (load<V>(at) - through_moments * share) * (load<V>(gamma + c) * load<V>(inverse + c)));
        }
}

template <class T>
void normalise_rows(T* z, T* y, Index rows, Index n, Index ld, T epsilon, const T* gamma, const T* beta, T* inverse) {
    using V = Vec<T>;
    for (Index r = 0; r < rows; r++) {
        const RowView<T> in{z + r * ld, n}, out{y + r * ld, n};
        auto sum = in.sum(), squares = in.sum();
        in.each([&](Index at, int part) { sum.add(part, in.valid(at, in.get(at), 0)); });
        const V mean = sum.total() / static_cast<T>(n);
        in.each([&](Index at, int part) {
            const V e = in.valid(at, in.get(at) - mean, 0);
            squares.add(part, e * e);
        });
        const V scale = T(1) / sqrt(squares.total() / static_cast<T>(n) + epsilon);
        in.each([&](Index at, int) {
            const V normal = in.valid(at, (in.get(at) - mean) * scale, 0);
            if (inverse) in.set(at, normal);
            out.set(at, fma(load<V>(gamma + at), normal, load<V>(beta + at)));
        });
        if (inverse) inverse[r] = scale[0];
    }
}

template <class T>
void layer_norm_gradient(T* d, const T* normal, Index rows, Index n, Index ld, const T* gamma, const T* inverse) {
    using V = Vec<T>;
    for (Index r = 0; r < rows; r++) {
        const RowView<T> row{d + r * ld, n}, x{const_cast<T*>(normal) + r * ld, n};
        auto sum = row.sum(), dot = row.sum();
        row.each([&](Index at, int part) {
            const V g = row.get(at) * load<V>(gamma + at);  // zero in the padding, as gamma is
            sum.add(part, g);
            dot.add(part, g * x.get(at));
        });
        const V mean = sum.total() / static_cast<T>(n), slope = dot.total() / static_cast<T>(n);
        row.each([&](Index at, int) {
            const V g = row.get(at) * load<V>(gamma + at) - fma(x.get(at), slope, mean);
            row.set(at, row.valid(at, g * inverse[r], 0));
        });
    }
}

}  // namespace
}  // namespace foxnn
