// The register tile that all three products of a training step are made of, after Goto and van de Geijn (2008) and
// BLIS (Van Zee and van de Geijn 2015): a few rows of A, one number at a time in all lanes, times one panel of B, a
// vector at a time; the tile of C stays in registers for the whole inner dimension. Unlike BLIS's, it adds every
// product of an element of C to one accumulator in order, which is what makes results independent of how the work is
// split. It promises nothing about alignment and reads nothing outside A (rows, k) and B (k, panel width).
#pragma once
#include "kernels/simd.hpp"

namespace foxnn {
namespace {

// AT says how A lies: false: (rows, k), as the outputs' product reads it; true: (k, rows), as the weights' gradient.
template <class T, int Rows, int Vectors, bool AT>
void tile(Index k, const T* a, Index lda, const T* b, Index ldb, const T* init, Index ldi, T* c, Index ldc) {
    using V = Vec<T>;
    constexpr Index L = kLanes<T>;
    V sum[Rows][Vectors];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; r++)
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; v++) sum[r][v] = init ? load<V>(init + r * ldi + v * L) : V{};
    const auto accumulate = [&](const T* a_k, const T* b_k) __attribute__((always_inline)) {
        V row_of_b[Vectors];
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; v++) row_of_b[v] = load<V>(b_k + v * L);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; r++) {
            const V a_r = splat<V>(a_k[AT ? r : r * lda]);
#pragma GCC unroll 16
            for (int v = 0; v < Vectors; v++) sum[r][v] = fma(a_r, row_of_b[v], sum[r][v]);
        }
    };
    Index i = 0;
    do {  // at least once: with a way around the loop, compilers leave sums in memory where the two meet
        if (AT) __builtin_prefetch(a + 64 / sizeof(T));  // for the next tiles: a column touches a line a row
        accumulate(a, b);
        a += AT ? lda : 1;
        b += ldb;
    } while (++i < k);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; r++)
#pragma GCC unroll 16
        for (int v = 0; v < Vectors; v++) store(c + r * ldc + v * L, sum[r][v]);
}

// `Panels` panels at once: enough independent sums to hide the latency of a multiply-add.
template <class T, int Panels>
void row_of_panels(Index k, const T* a, const T* b, const T* init, T* c) {
    using V = Vec<T>;
    constexpr Index L = kLanes<T>;
    const Index panel = k * 2 * L;
    V sum[Panels][2];
#pragma GCC unroll 8
    for (int p = 0; p < Panels; p++)
        for (int v = 0; v < 2; v++) sum[p][v] = load<V>(init + (2 * p + v) * L);
    for (Index i = 0; i < k; i++) {
        const V a_i = splat<V>(a[i]);
#pragma GCC unroll 8
        for (int p = 0; p < Panels; p++)
#pragma GCC unroll 2
            for (int v = 0; v < 2; v++) sum[p][v] = fma(a_i, load<V>(b + p * panel + (2 * i + v) * L), sum[p][v]);
    }
#pragma GCC unroll 8
    for (int p = 0; p < Panels; p++)
        for (int v = 0; v < 2; v++) store(c + (2 * p + v) * L, sum[p][v]);
}

template <class T>
void row(Index k, const T* a, const T* b, Index panels, const T* init, T* c) {
    constexpr Index W = 2 * kLanes<T>;
    for (; panels >= 4; panels -= 4, b += 4 * k * W, init += 4 * W, c += 4 * W) row_of_panels<T, 4>(k, a, b, init, c);
    if (panels == 3) row_of_panels<T, 3>(k, a, b, init, c);
    if (panels == 2) row_of_panels<T, 2>(k, a, b, init, c);
    if (panels == 1) row_of_panels<T, 1>(k, a, b, init, c);
}

template <class T>
void pack(const T* in, Index rows, Index columns, Index ldi, T* out) {
    using V = Vec<T>;
    for (Index r = 0; r < rows; r++)
        for (Index c = 0; c < columns; c += kLanes<T>) store(out + r * columns + c, load<V>(in + r * ldi + c));
}

template <class T>
void pack_tiles(const T* in, Index rows, Index columns, Index ldi, T* out, Index stride) {
    constexpr Index width = FOXNN_TILE_ROWS_2, line = 64 / sizeof(T);
    constexpr Index few = 16;  // rows whose lines stay in the nearest cache from one tile to the next
    for (Index first = 0; first < rows; first += few) {
        const Index end = first + few < rows ? first + few : rows;
        T* tile = out;
        Index c = 0;
        for (; c + width <= columns; c += width, tile += stride) {
            for (Index i = first * width; i < end * width; i += line) __builtin_prefetch(tile + 2 * stride + i, 1);
            for (Index r = first; r < end; r++) {
                const T* const from = in + r * ldi + c;
                __builtin_prefetch(from + 2 * line);
                std::memcpy(tile + r * width, from, width * sizeof(T));
            }
        }
        for (Index r = first; r < end; r++)
            for (Index i = 0; i < columns - c; i++) tile[r * width + i] = in[r * ldi + c + i];
    }
}

template <class T>
void column_sums(const T* in, Index rows, Index columns, Index ld, bool add, T* out) {
    using V = Vec<T>;
    for (Index c = 0; c < columns; c += kLanes<T>) {
        V sum = add ? load<V>(out + c) : V{};
        for (Index r = 0; r < rows; r++) sum += load<V>(in + r * ld + c);
        store(out + c, sum);
    }
}

template <class T>
void multiply(T* d, const T* s, Index rows, Index columns, Index ld) {
    using V = Vec<T>;
    for (Index r = 0; r < rows; r++)
        for (Index c = 0; c < columns; c += kLanes<T>) {
            T* at = d + r * ld + c;
            store(at, load<V>(at) * load<V>(s + r * ld + c));
        }
}

template <class From, class T>
void convert(const From* in, Index n, T scale, T offset, T* out) {
    if (scale == 1 && offset == 0)
        for (Index i = 0; i < n; i++) out[i] = static_cast<T>(in[i]);
    else
        for (Index i = 0; i < n; i++) out[i] = static_cast<T>(in[i]) * scale + offset;
}

// x - x is 0 for finite x only.
template <class T>
bool all_finite(const T* x, Index n) {
    using V = Vec<T>;
    constexpr Index L = kLanes<T>;
    IntVec<T> not_finite = {};
    Index i = 0;
    for (; i + 4 * L <= n; i += 4 * L)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            const V v = load<V>(x + i + j * L);
            not_finite |= (v - v) != T(0);
        }
    bool finite = !any(not_finite);
    for (; i < n; i++) finite = finite && x[i] - x[i] == 0;
    return finite;
}

}  // namespace
}  // namespace foxnn
