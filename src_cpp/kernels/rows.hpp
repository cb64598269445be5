// How formulas that need whole rows (softmax, the losses) go through them: a row with a vector for every few of its
// numbers, or, if rows are short, many rows at once with a vector for each column. The formula is written once, for a
// view of either kind, and its sums have the same bits in both.
#pragma once
#include "kernels/simd.hpp"

namespace foxnn {
namespace {

// A square of as many numbers as 16 bytes hold, whatever the instruction set: the shuffles within those are cheap on
// all.
template <class T>
constexpr Index kSquare = 16 / sizeof(T);

template <class T>
FOXNN_INLINE void transpose_square(const T* in, Index ldi, T* out, Index ldo) {
    typedef T Q __attribute__((vector_size(16)));
    if constexpr (kSquare<T> == 4) {
        const Q q0 = load<Q>(in), q1 = load<Q>(in + ldi), q2 = load<Q>(in + 2 * ldi), q3 = load<Q>(in + 3 * ldi);
        const Q l01 = FOXNN_SHUFFLE4(q0, q1, 0, 4, 1, 5), h01 = FOXNN_SHUFFLE4(q0, q1, 2, 6, 3, 7);
        const Q l23 = FOXNN_SHUFFLE4(q2, q3, 0, 4, 1, 5), h23 = FOXNN_SHUFFLE4(q2, q3, 2, 6, 3, 7);
        store(out, FOXNN_SHUFFLE4(l01, l23, 0, 1, 4, 5));
        store(out + ldo, FOXNN_SHUFFLE4(l01, l23, 2, 3, 6, 7));
        store(out + 2 * ldo, FOXNN_SHUFFLE4(h01, h23, 0, 1, 4, 5));
        store(out + 3 * ldo, FOXNN_SHUFFLE4(h01, h23, 2, 3, 6, 7));
    } else {
        const Q q0 = load<Q>(in), q1 = load<Q>(in + ldi);
        store(out, Q{q0[0], q1[0]});
        store(out + ldo, Q{q0[1], q1[1]});
    }
}

template <class T>
void transpose(const T* in, Index rows, Index columns, Index ldi, T* out, Index ldo) {
    constexpr Index S = kSquare<T>;
    Index r = 0;
    for (; r + S <= rows; r += S) {
        Index c = 0;
        for (; c + S <= columns; c += S) transpose_square(in + r * ldi + c, ldi, out + c * ldo + r, ldo);
        for (; c < columns; c++)
            for (Index i = 0; i < S; i++) out[c * ldo + r + i] = in[(r + i) * ldi + c];
    }
    for (; r < rows; r++)
        for (Index c = 0; c < columns; c++) out[c * ldo + r] = in[r * ldi + c];
}

// The numbers of a row are summed in 16 interleaved parts, which are then added in halves: whatever the vectors' width,
// the order is the same.
constexpr Index kParts = 16;

// One row of n numbers, padded to whole vectors. Positions are those of the vectors' first numbers.
template <class T>
struct RowView {
    using V = Vec<T>;
    T* numbers;
    Index n;

    // Calls step(position, part) for every vector.
    template <class Step>
    FOXNN_INLINE void each(const Step& step) const {
        for (Index c = 0; c < n; c += kParts)
#pragma GCC unroll 8
            for (int part = 0; part < kParts / kLanes<T>; part++)
                if (c + part * kLanes<T> < n) step(c + part * kLanes<T>, part);
    }
    FOXNN_INLINE V get(Index position) const { return load<V>(numbers + position); }
    FOXNN_INLINE void set(Index position, V v) const { store(numbers + position, v); }
    // v, but `other` in the padding.
    FOXNN_INLINE V valid(Index position, V v, T other) const {
        return lane_numbers<T>() < static_cast<typename Number<T>::Int>(n - position) ? v : splat<V>(other);
    }
    // Over the row, in all lanes.
    FOXNN_INLINE static V largest(V most) {
        T top = most[0];
#pragma GCC unroll 16
        for (Index i = 1; i < kLanes<T>; i++) top = most[i] > top ? most[i] : top;
        return splat<V>(top);
    }
    class Sum {
      public:
        FOXNN_INLINE void add(int part, V v) { part_[part] += v; }
        // Over the row, in all lanes.
        FOXNN_INLINE V total() {
            int width = n_parts;
            while (width > 1) {  // first whole vectors, then lanes
                width /= 2;
#pragma GCC unroll 8
                for (int i = 0; i < width; i++) part_[i] += part_[i + width];
            }
            T lane[kLanes<T>];
            store(lane, part_[0]);
#pragma GCC unroll 4
            for (Index half = kLanes<T> / 2; half >= 1; half /= 2)
#pragma GCC unroll 8
                for (Index i = 0; i < half; i++) lane[i] += lane[i + half];
            return splat<V>(lane[0]);
        }

      private:
        static constexpr int n_parts = kParts / kLanes<T>;  // vectors that hold the parts
        V part_[n_parts] = {};
    };
    FOXNN_INLINE Sum sum() const { return {}; }
};

// As many rows as a vector has lanes, of n <= 16 numbers each: the numbers of column c are the vector at c * stride.
template <class T>
struct BlockView {
    using V = Vec<T>;
    T* numbers;
    Index n, stride = kLanes<T>;

    template <class Step>
    FOXNN_INLINE void each(const Step& step) const {
        for (int c = 0; c < n; c++) step(c * stride, c);
    }
    FOXNN_INLINE V get(Index position) const { return load<V>(numbers + position); }
    FOXNN_INLINE void set(Index position, V v) const { store(numbers + position, v); }
    FOXNN_INLINE V valid(Index, V v, T) const { return v; }
    FOXNN_INLINE static V largest(V most) { return most; }
    // Each column is a part of its own; those beyond the last would be zeros and are left out.
    class Sum {
      public:
        explicit Sum(Index n) : n_(n) {}
        FOXNN_INLINE void add(int part, V v) { part_[part] = V{} + v; }
        FOXNN_INLINE V total() {
            for (Index half = kParts / 2; half >= 1; half /= 2)
                for (Index i = 0; i < half && i + half < n_; i++) part_[i] += part_[i + half];
            return part_[0];
        }

      private:
        Index n_;
        V part_[kParts];
    };
    FOXNN_INLINE Sum sum() const { return Sum(n); }
};

// The memory of such a block, and its way from rows and back.
template <class T>
class Block {
    T numbers[kParts * kLanes<T>];

  public:
    BlockView<T> view(Index n) { return BlockView<T>{numbers, n}; }
    // in (kLanes, n), stride ld, padded to whole vectors.
    BlockView<T> read(const T* in, Index n, Index ld) {
        squares(n, [&](Index r, Index c) { transpose_square(in + r * ld + c, ld, numbers + c * L + r, L); });
        return view(n);
    }
    // Zeros go into the padding.
    void write(Index n, T* out, Index ld) {
        for (Index c = n; c % L; c++) view(n).set(c * L, Vec<T>{});
        squares(n, [&](Index r, Index c) { transpose_square(numbers + c * L + r, L, out + r * ld + c, ld); });
    }

  private:
    static constexpr Index L = kLanes<T>;
    // Calls square(row, column) for the corners of all squares.
    template <class Square>
    FOXNN_INLINE static void squares(Index n, const Square& square) {
        for (Index c = 0; c < n; c += L)
#pragma GCC unroll 8
            for (Index j = 0; j < L; j += kSquare<T>)
#pragma GCC unroll 8
                for (Index r = 0; r < L; r += kSquare<T>) square(r, c + j);
    }
};

// block(first) for as many rows at a time as make a block, row(number) for the rest; for all if rows are long.
template <class T, class OfBlock, class OfRow>
FOXNN_INLINE void for_rows(Index rows, Index n, const OfBlock& block, const OfRow& row) {
    Index r = 0;
    if (n <= kParts)
        for (; r + kLanes<T> <= rows; r += kLanes<T>) block(r);
    for (; r < rows; r++) row(r);
}

}  // namespace
}  // namespace foxnn
