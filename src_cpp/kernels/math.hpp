// exp, log, tanh, sigmoid, sin, cos, arctan and the normal distribution on vectors, accurate to a few units in the
// last place. Each is a range reduction to a small interval and a truncated Taylor (or, for erfc, Chebyshev) series;
// the same operations on every instruction set.
#pragma once
#include "kernels/simd.hpp"

namespace foxnn {
namespace {

// The constants of the range reductions, split so that a multiple of the leading parts is exact, and the number of
// series terms that reach the precision of T.
template <class T>
struct MathConstants;

template <>
struct MathConstants<float> {
    static constexpr float magic = 0x1.8p23f;  // x + magic - magic rounds x to the nearest integer
    static constexpr float log2_e = 1.44269504088896341f, ln2_hi = 0.693359375f, ln2_lo = -2.12194440e-4f;
    static constexpr float exp_min = -104, exp_max = 89;
    static constexpr float half_pi_1 = 1.5703125f, half_pi_2 = 4.837512969970703125e-4f,
                           half_pi_3 = 7.549789948768648e-8f;
    static constexpr float trig_limit = 8192;
    static constexpr int exp_terms = 7, atanh_terms = 5, sin_terms = 5, atan_terms = 6;
    static constexpr float erfc_series[] = {
        -0.000228747233590847735, 0.00039670463828005489, 0.00168866223111567454, -0.00984549109495929539,
        0.028396482120658268,     -0.058645982867712496,  0.0922963679612030013,  -0.108814584961741436,
        0.082277417560368671,     0.00358631010168885169, -0.140240608010006919,  1.23751261846257167,
    };
};

template <>
struct MathConstants<double> {
    static constexpr double magic = 0x1.8p52;
    static constexpr double log2_e = 1.44269504088896340736, ln2_hi = 6.93145751953125e-1,
                            ln2_lo = 1.42860682030941723212e-6;
    static constexpr double exp_min = -746, exp_max = 710;
    static constexpr double half_pi_1 = 1.57079632673412561417, half_pi_2 = 6.07710050630396597660e-11,
                            half_pi_3 = 2.02226624871116645580e-21;
    static constexpr double trig_limit = 1e6;
    static constexpr int exp_terms = 13, atanh_terms = 11, sin_terms = 9, atan_terms = 12;
    static constexpr double erfc_series[] = {
        4.43496875817432908e-10,  3.11032023639983243e-10,  -5.28429209993473725e-9,   -3.74357306324325046e-9,
        3.89654642599985783e-8,   2.32619247802749461e-8,   -2.59106983970922761e-7,   -5.72159874820879201e-8,
        1.75205798247258313e-6,   -9.73561889429979095e-7,  -0.0000114444124456331612, 0.00002238424030787745,
        0.0000516492113929123164, -0.000290154080977356802, 0.000293713634284526384,   0.00175562585300125259,
        -0.0097465795525041793,   0.0283622774189407273,    -0.0586933985902123719,    0.0923043211603787626,
        -0.108803930141717858,    0.0822767384901451593,    0.00358541548546377496,    -0.140240598585546962,
        1.23751263083782758,
    };
};

constexpr double factorial(int n) { return n <= 1 ? 1.0 : n * factorial(n - 1); }

// x rounded to whole numbers, and (in `n`) the same as integers.
template <class T>
FOXNN_INLINE Vec<T> round(Vec<T> x, IntVec<T>& n) {
    const Vec<T> magic = splat<Vec<T>>(MathConstants<T>::magic), shifted = x + magic;
    n = bits<IntVec<T>>(shifted) - bits<IntVec<T>>(magic);
    return shifted - magic;
}

// 2^n for n in the range of normal numbers.
template <class T>
FOXNN_INLINE Vec<T> two_to_the(IntVec<T> n) {
    return bits<Vec<T>>((n + Number<T>::exponent_bias) << Number<T>::mantissa_bits);
}

// e^x = 2^n e^r with |r| <= ln(2) / 2: gives n and e^r - 1.
template <class T>
FOXNN_INLINE Vec<T> reduced_expm1(Vec<T> x, IntVec<T>& n) {
    using C = MathConstants<T>;
    const Vec<T> k = round<T>(x * C::log2_e, n);
    Vec<T> r = fma(k, splat<Vec<T>>(-C::ln2_hi), x);
    r = fma(k, splat<Vec<T>>(-C::ln2_lo), r);
    Vec<T> series = splat<Vec<T>>(static_cast<T>(1 / factorial(C::exp_terms)));
#pragma GCC unroll 16
    for (int i = C::exp_terms - 1; i >= 2; i--) series = fma(series, r, static_cast<T>(1 / factorial(i)));
    return fma(series * r, r, r);  // r + r^2 / 2! + r^3 / 3! + ...
}

template <class T>
FOXNN_INLINE Vec<T> exp(Vec<T> x) {
    using C = MathConstants<T>;
    IntVec<T> n;
    const Vec<T> p = reduced_expm1<T>(min(max(x, C::exp_min), C::exp_max), n);
    const IntVec<T> half = n >> 1;  // in two steps, since 2^n may lie outside the normal numbers
    return (p + T(1)) * two_to_the<T>(half) * two_to_the<T>(n - half);
}

// e^x - 1 for x <= 0, exact near 0.
template <class T>
FOXNN_INLINE Vec<T> expm1_negative(Vec<T> x) {
    IntVec<T> n;
    const Vec<T> p = reduced_expm1<T>(max(x, T(-60)), n), power = two_to_the<T>(n);
    return fma(power, p, power - T(1));
}

// log(x) for normal x > 0: x = 2^n m with m in [sqrt(1/2), sqrt(2)), log m = 2 artanh((m - 1) / (m + 1)).
template <class T>
FOXNN_INLINE Vec<T> log(Vec<T> x) {
    using C = MathConstants<T>;
    const IntVec<T> root = bits<IntVec<T>>(splat<Vec<T>>(T(0.70710678118654752440)));
    const IntVec<T> n = (bits<IntVec<T>>(x) - root) >> Number<T>::mantissa_bits;
    const Vec<T> m = bits<Vec<T>>(bits<IntVec<T>>(x) - (n << Number<T>::mantissa_bits));
    const Vec<T> k = __builtin_convertvector(n, Vec<T>);
    const Vec<T> s = (m - T(1)) / (m + T(1)), z = s * s;
    Vec<T> series = splat<Vec<T>>(T(2) / (2 * C::atanh_terms + 1));
#pragma GCC unroll 16
    for (int i = C::atanh_terms - 1; i >= 1; i--) series = fma(series, z, T(2) / (2 * i + 1));
    const Vec<T> tail = fma(series * z, s, k * C::ln2_lo);
    return fma(k, splat<Vec<T>>(C::ln2_hi), fma(s, splat<Vec<T>>(T(2)), tail));
}

// log(1 + u) for 0 <= u <= 1: the rounding of 1 + u is put right to first order.
template <class T>
FOXNN_INLINE Vec<T> log1p(Vec<T> u) {
    const Vec<T> w = u + T(1);
    return log<T>(w) + (u - (w - T(1))) / w;
}

template <class T>
FOXNN_INLINE Vec<T> sigmoid(Vec<T> x) {
    const Vec<T> e = exp<T>(-abs_of<T>(x));  // no overflow on either side
    return (x < T(0) ? e : splat<Vec<T>>(T(1))) / (e + T(1));
}

template <class T>
FOXNN_INLINE Vec<T> tanh(Vec<T> x) {
    const Vec<T> e = expm1_negative<T>(abs_of<T>(x) * T(-2));  // (1 - e^-2x) / (1 + e^-2x)
    return with_sign_of<T>(-e / (e + T(2)), x);
}

// log(1 + e^x)
template <class T>
FOXNN_INLINE Vec<T> softplus(Vec<T> x) {
    return max(x, T(0)) + log1p<T>(exp<T>(-abs_of<T>(x)));
}

// sin(x + quarter_turns pi / 2)
template <class T>
FOXNN_INLINE Vec<T> sin_turned(Vec<T> x, int quarter_turns) {
    using C = MathConstants<T>;
    using V = Vec<T>;
    IntVec<T> n;
    const V k = round<T>(x * T(0.63661977236758134308), n);
    V r = fma(k, splat<V>(-C::half_pi_1), x);
    r = fma(k, splat<V>(-C::half_pi_2), r);
    r = fma(k, splat<V>(-C::half_pi_3), r);
    n += quarter_turns;
    const V z = r * r;
    constexpr int last = C::sin_terms;
    V sine = splat<V>(static_cast<T>((last % 2 ? -1 : 1) / factorial(2 * last + 1)));
    V cosine = splat<V>(static_cast<T>((last % 2 ? -1 : 1) / factorial(2 * last)));
#pragma GCC unroll 16
    for (int i = last - 1; i >= 1; i--) {
        sine = fma(sine, z, static_cast<T>((i % 2 ? -1 : 1) / factorial(2 * i + 1)));
        cosine = fma(cosine, z, static_cast<T>((i % 2 ? -1 : 1) / factorial(2 * i)));
    }
    sine = fma(sine * z, r, r);
    cosine = fma(cosine, z, T(1));
    V y = (n & 1) == 0 ? sine : cosine;
    y = (n & 2) == 0 ? y : -y;
    if (any(abs_of<T>(x) > C::trig_limit))  // beyond the reduction's reach: rare, so one by one
        for (Index i = 0; i < kLanes<T>; i++)
            if (!(x[i] <= C::trig_limit && x[i] >= -C::trig_limit)) {
                const double s = __builtin_sin(x[i]), c = __builtin_cos(x[i]);
                const double turned[] = {s, c, -s, -c};
                y[i] = static_cast<T>(turned[quarter_turns & 3]);
            }
    return y;
}
template <class T>
FOXNN_INLINE Vec<T> sin(Vec<T> x) {
    return sin_turned<T>(x, 0);
}
template <class T>
FOXNN_INLINE Vec<T> cos(Vec<T> x) {
    return sin_turned<T>(x, 1);
}

// For |x| <= 1, else by arctan x = pi / 2 - arctan(1 / x); the angle is halved twice, then comes the series.
template <class T>
FOXNN_INLINE Vec<T> arctan(Vec<T> x) {
    using C = MathConstants<T>;
    using V = Vec<T>;
    const V t = abs_of<T>(x), one = splat<V>(T(1));
    const auto steep = t > T(1);
    V u = steep ? one / t : t;
    for (int i = 0; i < 2; i++) u = u / (sqrt(fma(u, u, one)) + T(1));
    const V z = u * u;
    V series = splat<V>(T(C::atan_terms % 2 ? -1 : 1) / (2 * C::atan_terms + 1));
#pragma GCC unroll 16
    for (int i = C::atan_terms - 1; i >= 1; i--) series = fma(series, z, T(i % 2 ? -1 : 1) / (2 * i + 1));
    const V angle = fma(series * z, u, u) * T(4);
    return with_sign_of<T>(steep ? T(1.57079632679489661923) - angle : angle, x);
}

// e^(c x^2), c a power of two below zero. What rounding takes from x^2 would be an error of many units in the last
// place for large ones; one multiply-add finds it (where there is none it finds zero), and e^(s + r) is e^s + e^s r.
template <class T>
FOXNN_INLINE Vec<T> exp_of_square(Vec<T> x, T c) {
    const Vec<T> square = x * x, e = exp<T>(square * c);
    const Vec<T> rest = abs_of<T>(x) < T(1e6) ? fma(x, x, -square) : Vec<T>{};  // far out e is zero
    return fma(e, rest * c, e);
}

// The normal distribution's Phi(x), and its density in `density`. With z = |x| / sqrt 2 and t = (z - 3.75) / (z
// + 3.75), (1 + 2 z) e^(z^2) erfc(z) is a polynomial in t (Shepherd and Laframboise 1981), so that the tail keeps its
// digits.
template <class T>
FOXNN_INLINE Vec<T> normal_cdf(Vec<T> x, Vec<T>& density) {
    using C = MathConstants<T>;
    const Vec<T> e = exp_of_square<T>(x, T(-0.5));
    const Vec<T> z = min(abs_of<T>(x), T(1e6)) * T(0.70710678118654752440), t = (z - T(3.75)) / (z + T(3.75));
    Vec<T> series = splat<Vec<T>>(C::erfc_series[0]);
    constexpr int n = sizeof C::erfc_series / sizeof(T);
#pragma GCC unroll 32
    for (int i = 1; i < n; i++) series = fma(series, t, C::erfc_series[i]);
    const Vec<T> tail = e * series / fma(z, splat<Vec<T>>(T(4)), T(2));
    density = e * T(0.39894228040143267794);
    return x < T(0) ? tail : T(1) - tail;
}

}  // namespace
}  // namespace foxnn
