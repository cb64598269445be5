// Activations, one a struct: the function and its exact derivative side by side. Those whose derivative follows from
// their output y define value() and derivative_of_output(); the others define value() and value_and_derivative(), which
// shares what the two have in common. Those whose values are not any numbers say what they lie between, in bounds(). To
// add one, write its struct and name it in the list at the end.
#pragma once
#include <cmath>

#include "kernels/math.hpp"

namespace foxnn {
namespace {

constexpr double kInfinity = __builtin_inf(), kHalfPi = 1.5707963267948966;

// What holds unless an activation says otherwise.
struct Usual {
    static constexpr bool flat = false;
    static constexpr Bounds bounds(const double*) { return {}; }
};
struct NoParameters : Usual {
    static constexpr Index n_parameters = 0;
    static constexpr Setting parameters[kMaxParameters] = {};
};
template <class T>
FOXNN_INLINE Vec<T> where(IntVec<T> condition, T yes, T no) {
    return condition ? splat<Vec<T>>(yes) : splat<Vec<T>>(no);
}

struct Sigmoid : NoParameters {
    static constexpr const char* name = "sigmoid";
    static constexpr DefaultInit init = DefaultInit::glorot;
    static constexpr Bounds bounds(const double*) { return {0, 1}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return sigmoid<T>(x);
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T> y, const T*) {
        return y * (T(1) - y);
    }
};

struct Tanh : NoParameters {
    static constexpr const char* name = "tanh";
    static constexpr DefaultInit init = DefaultInit::glorot;
    static constexpr Bounds bounds(const double*) { return {-1, 1}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return tanh<T>(x);
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T> y, const T*) {
        return T(1) - y * y;
    }
};

struct Relu : NoParameters {
    static constexpr const char* name = "relu";
    static constexpr DefaultInit init = DefaultInit::he_fan_max;
    static constexpr Bounds bounds(const double*) { return {0, kInfinity}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return max(x, T(0));
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T> y, const T*) {
        return where<T>(y > T(0), 1, 0);
    }
};

// FoxNN 1.0's relu: the same function, but its derivative at 0 is 1.
struct FoxnnRelu : NoParameters {
    static constexpr const char* name = "foxnn_relu";
    static constexpr DefaultInit init = DefaultInit::he_fan_max;
    static constexpr Bounds bounds(const double*) { return {0, kInfinity}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return max(x, T(0));
    }
    template <class T>
    static Vec<T> value_and_derivative(Vec<T> x, Vec<T>& derivative, const T*) {
        derivative = where<T>(x >= T(0), 1, 0);
        return max(x, T(0));
    }
};

// Maas et al. 2013.
struct LeakyRelu : Usual {
    static constexpr const char* name = "leaky_relu";
    static constexpr DefaultInit init = DefaultInit::he_fan_max;
    static constexpr Index n_parameters = 1;
    static constexpr Setting parameters[kMaxParameters] = {{"negative_slope", 0.01, 0, kInfinity}};
    template <class T>
    static Vec<T> value(Vec<T> x, const T* p) {
        return x < T(0) ? x * p[0] : x;
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T> y, const T* p) {
        return where<T>(y > T(0), 1, p[0]);
    }
};

// Clevert et al. 2016.
struct Elu : Usual {
    static constexpr const char* name = "elu";
    static constexpr DefaultInit init = DefaultInit::he;
    static constexpr Index n_parameters = 1;
    static constexpr Setting parameters[kMaxParameters] = {{"alpha", 1.0, 0, kInfinity}};
    static constexpr Bounds bounds(const double* p) { return {-p[0], kInfinity}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T* p) {
        return x > T(0) ? x : expm1_negative<T>(min(x, T(0))) * p[0];
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T> y, const T* p) {
        return y > T(0) ? splat<Vec<T>>(T(1)) : y + p[0];
    }
};

// Klambauer et al. 2017, whose weights start from LeCun's normal distribution.
struct Selu : NoParameters {
    static constexpr const char* name = "selu";
    static constexpr DefaultInit init = DefaultInit::lecun;
    static constexpr double alpha = 1.6732632423543772848, scale = 1.0507009873554804934;
    static constexpr Bounds bounds(const double*) { return {-scale * alpha, kInfinity}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return x > T(0) ? x * T(scale) : expm1_negative<T>(min(x, T(0))) * T(scale * alpha);
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T> y, const T*) {
        return y > T(0) ? splat<Vec<T>>(T(scale)) : y + T(scale * alpha);
    }
};

// x Phi(x), exactly (Hendrycks and Gimpel 2016).
struct Gelu : NoParameters {
    static constexpr const char* name = "gelu";
    static constexpr DefaultInit init = DefaultInit::he;
    static constexpr Bounds bounds(const double*) { return {-0.1700, kInfinity}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        Vec<T> density;
        return x * normal_cdf<T>(x, density);
    }
    template <class T>
    static Vec<T> value_and_derivative(Vec<T> x, Vec<T>& derivative, const T*) {
        Vec<T> density;
        const Vec<T> cdf = normal_cdf<T>(x, density);
        derivative = fma(min(max(x, T(-1e6)), T(1e6)), density, cdf);  // clamped: infinity times a zero density
        return x * cdf;
    }
};

// x sigmoid(x), also known as swish (Elfwing et al. 2018).
struct Silu : NoParameters {
    static constexpr const char* name = "silu";
    static constexpr DefaultInit init = DefaultInit::he;
    static constexpr Bounds bounds(const double*) { return {-0.2785, kInfinity}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return x * sigmoid<T>(x);
    }
    template <class T>
    static Vec<T> value_and_derivative(Vec<T> x, Vec<T>& derivative, const T*) {
        const Vec<T> s = sigmoid<T>(x), y = x * s;
        derivative = fma(y, T(1) - s, s);
        return y;
    }
};

// log(1 + e^x)
struct Softplus : NoParameters {
    static constexpr const char* name = "softplus";
    static constexpr DefaultInit init = DefaultInit::he;
    static constexpr Bounds bounds(const double*) { return {0, kInfinity}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return softplus<T>(x);
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T> y, const T*) {
        return -expm1_negative<T>(-y);
    }
};

// x / (1 + |x|)
struct Softsign : NoParameters {
    static constexpr const char* name = "softsign";
    static constexpr DefaultInit init = DefaultInit::glorot;
    static constexpr Bounds bounds(const double*) { return {-1, 1}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return x / (abs_of<T>(x) + T(1));
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T> y, const T*) {
        const Vec<T> root = T(1) - abs_of<T>(y);
        return root * root;
    }
};

// min(max(x / 6 + 1 / 2, 0), 1)
struct HardSigmoid : NoParameters {
    static constexpr const char* name = "hard_sigmoid";
    static constexpr DefaultInit init = DefaultInit::glorot;
    static constexpr Bounds bounds(const double*) { return {0, 1}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return min(max(fma(x, splat<Vec<T>>(T(1.0 / 6)), T(0.5)), T(0)), T(1));
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T> y, const T*) {
        return where<T>((y > T(0)) & (y < T(1)), T(1.0 / 6), 0);
    }
};

// min(max(x, -1), 1)
struct HardTanh : NoParameters {
    static constexpr const char* name = "hard_tanh";
    static constexpr DefaultInit init = DefaultInit::glorot;
    static constexpr Bounds bounds(const double*) { return {-1, 1}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return min(max(x, T(-1)), T(1));
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T> y, const T*) {
        return where<T>(abs_of<T>(y) < T(1), 1, 0);
    }
};

// min(max(x, 0), 6)
struct Relu6 : NoParameters {
    static constexpr const char* name = "relu6";
    static constexpr DefaultInit init = DefaultInit::he_fan_max;
    static constexpr Bounds bounds(const double*) { return {0, 6}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return min(max(x, T(0)), T(6));
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T> y, const T*) {
        return where<T>((y > T(0)) & (y < T(6)), 1, 0);
    }
};

// x tanh(log(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2) (Misra 2019).
struct Mish : NoParameters {
    static constexpr const char* name = "mish";
    static constexpr DefaultInit init = DefaultInit::he;
    static constexpr Bounds bounds(const double*) { return {-0.3089, kInfinity}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        const Vec<T> e = exp<T>(min(x, T(30))), n = e * (e + T(2));
        return x * (n / (n + T(2)));
    }
    template <class T>
    static Vec<T> value_and_derivative(Vec<T> x, Vec<T>& derivative, const T*) {
        const Vec<T> e = exp<T>(min(x, T(30))), n = e * (e + T(2)), t = n / (n + T(2));
        // t' = sigmoid(x) (1 - t^2), and 1 - t = 2 / (n + 2)
        const Vec<T> dt = e / (e + T(1)) * (T(1) + t) * (T(2) / (n + T(2)));
        derivative = fma(x, dt, t);
        return x * t;
    }
};

struct Sin : NoParameters {
    static constexpr const char* name = "sin";
    static constexpr DefaultInit init = DefaultInit::glorot;
    static constexpr Bounds bounds(const double*) { return {-1, 1}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return sin<T>(x);
    }
    template <class T>
    static Vec<T> value_and_derivative(Vec<T> x, Vec<T>& derivative, const T*) {
        derivative = cos<T>(x);
        return sin<T>(x);
    }
};

struct Cos : NoParameters {
    static constexpr const char* name = "cos";
    static constexpr DefaultInit init = DefaultInit::glorot;
    static constexpr Bounds bounds(const double*) { return {-1, 1}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return cos<T>(x);
    }
    template <class T>
    static Vec<T> value_and_derivative(Vec<T> x, Vec<T>& derivative, const T*) {
        derivative = -sin<T>(x);
        return cos<T>(x);
    }
};

// e^(-x^2)
struct Gaussian : NoParameters {
    static constexpr const char* name = "gaussian";
    static constexpr DefaultInit init = DefaultInit::glorot;
    static constexpr Bounds bounds(const double*) { return {0, 1}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return exp_of_square<T>(x, T(-1));
    }
    template <class T>
    static Vec<T> value_and_derivative(Vec<T> x, Vec<T>& derivative, const T*) {
        const Vec<T> y = exp_of_square<T>(x, T(-1));
        derivative = min(max(x, T(-1e6)), T(1e6)) * T(-2) * y;  // clamped: infinity times zero
        return y;
    }
};

struct Arctan : NoParameters {
    static constexpr const char* name = "arctan";
    static constexpr DefaultInit init = DefaultInit::glorot;
    static constexpr Bounds bounds(const double*) { return {-kHalfPi, kHalfPi}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return arctan<T>(x);
    }
    template <class T>
    static Vec<T> value_and_derivative(Vec<T> x, Vec<T>& derivative, const T*) {
        derivative = T(1) / fma(x, x, T(1));
        return arctan<T>(x);
    }
};

struct Exp : NoParameters {
    static constexpr const char* name = "exp";
    static constexpr DefaultInit init = DefaultInit::glorot;
    static constexpr Bounds bounds(const double*) { return {0, kInfinity}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return exp<T>(x);
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T> y, const T*) {
        return y;
    }
};

struct Linear : NoParameters {
    static constexpr const char* name = "linear";
    static constexpr DefaultInit init = DefaultInit::glorot;
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        return x;
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T>, const T*) {
        return splat<Vec<T>>(T(1));
    }
};

// 1 for x > 0, else 0; its derivative is 0 wherever there is one.
struct Threshold : NoParameters {
    static constexpr const char* name = "threshold";
    static constexpr DefaultInit init = DefaultInit::glorot;
    static constexpr bool flat = true;
    static constexpr Bounds bounds(const double*) { return {0, 1}; }
    template <class T>
    static Vec<T> value(Vec<T> x, const T*) {
        const Vec<T> step = where<T>(x > T(0), 1, 0);
        return x == x ? step : x;
    }
    template <class T>
    static Vec<T> derivative_of_output(Vec<T>, const T*) {
        return Vec<T>{};
    }
};

// e^x_i / sum_j e^x_j over the outputs; its rows are in losses.hpp, beside the cross-entropy that goes with it.
struct Softmax : NoParameters {
    static constexpr const char* name = "softmax";
    static constexpr DefaultInit init = DefaultInit::glorot;
    static constexpr Bounds bounds(const double*) { return {0, 1}; }
};

template <class... Types>
struct List {};

using Activations = List<Sigmoid, Tanh, Relu, LeakyRelu, Elu, Selu, Gelu, Silu, Softplus, Softsign, HardSigmoid,
                         HardTanh, Relu6, Mish, Sin, Cos, Gaussian, Arctan, Exp, Linear, Threshold, FoxnnRelu, Softmax>;

// ---- what the table holds of each -------------------------------------------------------------------------

template <class A, class T, class = void>
struct DerivativeFromOutput {
    static constexpr bool value = false;
};
template <class A, class T>
struct DerivativeFromOutput<A, T, decltype(void(A::template derivative_of_output<T>(Vec<T>{}, nullptr)))> {
    static constexpr bool value = true;
};

template <class A, class T>
void activate(T* y, T* derivative, Index rows, Index columns, Index ld, const T* parameters) {
    using V = Vec<T>;
    for (Index r = 0; r < rows; r++)
        for (Index c = 0; c < columns; c += kLanes<T>) {
            T* at = y + r * ld + c;
            if constexpr (!DerivativeFromOutput<A, T>::value)
                if (derivative) {
                    V s;
                    store(at, A::template value_and_derivative<T>(load<V>(at), s, parameters));
                    store(derivative + r * ld + c, s);
                    continue;
                }
            store(at, A::template value<T>(load<V>(at), parameters));
        }
}

template <class A, class T>
void multiply_by_derivative(T* d, const T* y, Index rows, Index columns, Index ld, const T* parameters) {
    using V = Vec<T>;
    for (Index r = 0; r < rows; r++)
        for (Index c = 0; c < columns; c += kLanes<T>) {
            T* at = d + r * ld + c;
            store(at, load<V>(at) * A::template derivative_of_output<T>(load<V>(y + r * ld + c), parameters));
        }
}

}  // namespace
}  // namespace foxnn
