// A vector of the width of the instruction set this file is compiled for, written with the compiler's vector
// extensions; +, -, *, / and comparisons are the language's own. Everything has internal linkage: code built for
// one set must never be picked by the linker for another.
#pragma once
#include <cstdint>
#include <cstring>

#include "kernels/table.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#ifndef FOXNN_VECTOR_BYTES
#error "define FOXNN_VECTOR_BYTES before including a kernel header"
#endif

#define FOXNN_INLINE [[gnu::always_inline]] inline

// Four numbers out of two vectors of four; GCC learnt the shuffle that Clang has in version 12.
#if defined(__clang__) || __GNUC__ >= 12
#define FOXNN_SHUFFLE4(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define FOXNN_SHUFFLE4(a, b, i, j, k, l) __builtin_shuffle(a, b, (::foxnn::Shuffle4{i, j, k, l}))
#endif

namespace foxnn {
namespace {

typedef std::int32_t Shuffle4 __attribute__((vector_size(16)));

template <class T>
struct Number;

template <>
struct Number<float> {
    using Int = std::int32_t;
    typedef std::uint16_t Short __attribute__((vector_size(FOXNN_VECTOR_BYTES / 2)));  // as many as a vector has lanes
    static constexpr int mantissa_bits = 23, exponent_bias = 127;
    static constexpr Int sign_bit = INT32_MIN;
};

template <>
struct Number<double> {
    using Int = std::int64_t;
    typedef std::uint16_t Short __attribute__((vector_size(FOXNN_VECTOR_BYTES / 4)));
    static constexpr int mantissa_bits = 52, exponent_bias = 1023;
    static constexpr Int sign_bit = INT64_MIN;
};

template <class T>
struct Types {
    typedef T V __attribute__((vector_size(FOXNN_VECTOR_BYTES)));
    typedef typename Number<T>::Int I __attribute__((vector_size(FOXNN_VECTOR_BYTES)));
};

template <class T>
using Vec = typename Types<T>::V;
template <class T>
using IntVec = typename Types<T>::I;

template <class T>
constexpr Index kLanes = FOXNN_VECTOR_BYTES / sizeof(T);

template <class V, class T>
FOXNN_INLINE V load(const T* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
}
template <class V, class T>
FOXNN_INLINE void store(T* p, V v) {
    std::memcpy(p, &v, sizeof v);
}

template <class To, class From>
FOXNN_INLINE To bits(From v) {
    static_assert(sizeof(To) == sizeof(From));
    To out;
    std::memcpy(&out, &v, sizeof out);
    return out;
}

// a * b + c, rounded once where the instruction set can, and the square root. Quotients and roots are the processor's
// own, which rounds them correctly, tiny ones too: made of multiply-adds (Markstein 1990) they would need remainders
// that are no normal numbers any more where the operands are small, and they would be slower.
#if defined(__AVX512F__) && FOXNN_VECTOR_BYTES == 64
FOXNN_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return _mm512_fmadd_ps(a, b, c); }
FOXNN_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return _mm512_fmadd_pd(a, b, c); }
FOXNN_INLINE Vec<float> sqrt(Vec<float> a) { return _mm512_sqrt_ps(a); }
FOXNN_INLINE Vec<double> sqrt(Vec<double> a) { return _mm512_sqrt_pd(a); }
#elif defined(__FMA__) && FOXNN_VECTOR_BYTES == 32
FOXNN_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return _mm256_fmadd_ps(a, b, c); }
FOXNN_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return _mm256_fmadd_pd(a, b, c); }
FOXNN_INLINE Vec<float> sqrt(Vec<float> a) { return _mm256_sqrt_ps(a); }
FOXNN_INLINE Vec<double> sqrt(Vec<double> a) { return _mm256_sqrt_pd(a); }
#elif defined(__aarch64__) && FOXNN_VECTOR_BYTES == 16
FOXNN_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return vfmaq_f32(c, a, b); }
FOXNN_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return vfmaq_f64(c, a, b); }
FOXNN_INLINE Vec<float> sqrt(Vec<float> a) { return vsqrtq_f32(a); }
FOXNN_INLINE Vec<double> sqrt(Vec<double> a) { return vsqrtq_f64(a); }
#else
FOXNN_INLINE Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return a * b + c; }
FOXNN_INLINE Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return a * b + c; }
template <class V>
FOXNN_INLINE V sqrt(V a) {
    for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); i++)
        a[i] = sizeof(a[0]) == 4 ? __builtin_sqrtf(static_cast<float>(a[i])) : __builtin_sqrt(a[i]);
    return a;
}
#endif

// x in every lane. (x - 0 is x, also for -0.)
template <class V, class T>
FOXNN_INLINE V splat(T x) {
    return x - V{};
}
template <class V>
FOXNN_INLINE V fma(V a, V b, decltype(V{}[0] + 0) c) {
    return fma(a, b, splat<V>(c));
}
// If a is NaN, so is the result.
template <class V>
FOXNN_INLINE V max(V a, decltype(V{}[0] + 0) b) {
    return splat<V>(b) > a ? splat<V>(b) : a;
}
template <class V>
FOXNN_INLINE V min(V a, decltype(V{}[0] + 0) b) {
    return splat<V>(b) < a ? splat<V>(b) : a;
}

// Whether all lanes are zero (not NaN).
template <class V>
FOXNN_INLINE bool all_zero(V v) {
#if defined(__AVX512F__) && FOXNN_VECTOR_BYTES == 64
    if constexpr (sizeof(v[0]) == 4) return _mm512_cmp_ps_mask((__m512)v, _mm512_setzero_ps(), _CMP_NEQ_UQ) == 0;
    if constexpr (sizeof(v[0]) == 8) return _mm512_cmp_pd_mask((__m512d)v, _mm512_setzero_pd(), _CMP_NEQ_UQ) == 0;
#elif defined(__AVX2__) && FOXNN_VECTOR_BYTES == 32
    return _mm256_movemask_epi8((__m256i)(v != V{})) == 0;
#endif
    const auto nonzero = v != V{};
    decltype(nonzero[0] + 0) sum = 0;
    for (unsigned i = 0; i < sizeof(V) / sizeof(v[0]); i++) sum |= nonzero[i];
    return sum == 0;
}

template <class T>
FOXNN_INLINE Vec<T> abs_of(Vec<T> x) {
    return bits<Vec<T>>(bits<IntVec<T>>(x) & ~(IntVec<T>{} + Number<T>::sign_bit));
}
template <class T>
FOXNN_INLINE Vec<T> with_sign_of(Vec<T> magnitude, Vec<T> sign) {
    const IntVec<T> mask = IntVec<T>{} + Number<T>::sign_bit;
    return bits<Vec<T>>((bits<IntVec<T>>(magnitude) & ~mask) | (bits<IntVec<T>>(sign) & mask));
}
// A vector's lanes of 16-bit numbers.
template <class T>
FOXNN_INLINE IntVec<T> widened(const std::uint16_t* p) {
    return __builtin_convertvector(load<typename Number<T>::Short>(p), IntVec<T>);
}
// Whether a comparison holds in any lane.
template <class I>
FOXNN_INLINE bool any(I mask) {
    decltype(mask[0] + 0) sum = 0;
    for (unsigned i = 0; i < sizeof(I) / sizeof(mask[0]); i++) sum |= mask[i];
    return sum != 0;
}
// 0, 1, 2, ... in the lanes.
template <class T>
FOXNN_INLINE IntVec<T> lane_numbers() {
    IntVec<T> v = {};
    for (Index i = 0; i < kLanes<T>; i++) v[i] = static_cast<typename Number<T>::Int>(i);
    return v;
}

}  // namespace
}  // namespace foxnn
