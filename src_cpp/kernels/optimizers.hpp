// Optimizers, one a struct: their hyper-parameters, what a step needs of them, and the step itself on vectors of
// weights w, gradients g and state. To add one, write its struct and name it in the list at the end.
#pragma once
#include "kernels/activations.hpp"
#include "kernels/penalties.hpp"

namespace foxnn {
namespace {

// w <- w - lr g
struct Sgd {
    static constexpr const char* name = "sgd";
    static constexpr double learning_rate = 0.01;
    static constexpr Index n_hyper = 0, n_state = 0, n_squares = 0;
    static constexpr Setting hyper[kMaxHyper] = {};
    template <class T>
    static void coefficients(const double*, double lr, double, T* c) {
        c[0] = static_cast<T>(-lr);
    }
    template <class T>
    static Vec<T> step(Vec<T> w, Vec<T> g, Vec<T>&, Vec<T>&, const T* c) {
        return fma(splat<Vec<T>>(c[0]), g, w);
    }
};

// v <- mu v - lr g; w <- w + v (Polyak 1964, in the form of Sutskever et al. 2013).
struct Momentum {
    static constexpr const char* name = "momentum";
    static constexpr double learning_rate = 0.01;
    static constexpr Index n_hyper = 1, n_state = 1, n_squares = 0;
    static constexpr Setting hyper[kMaxHyper] = {{"momentum", 0.9, 0, 1}};
    template <class T>
    static void coefficients(const double* h, double lr, double, T* c) {
        c[0] = static_cast<T>(-lr), c[1] = static_cast<T>(h[0]);
    }
    template <class T>
    static Vec<T> step(Vec<T> w, Vec<T> g, Vec<T>& v, Vec<T>&, const T* c) {
        v = fma(splat<Vec<T>>(c[1]), v, g * c[0]);
        return w + v;
    }
};

// Nesterov 1983 as in Sutskever et al. 2013, in terms of the point w + mu v where the gradient is taken:
// v <- mu v - lr g; w <- w + mu v - lr g.
struct Nesterov {
    static constexpr const char* name = "nesterov";
    static constexpr double learning_rate = 0.01;
    static constexpr Index n_hyper = 1, n_state = 1, n_squares = 0;
    static constexpr Setting hyper[kMaxHyper] = {{"momentum", 0.9, 0, 1}};
    template <class T>
    static void coefficients(const double* h, double lr, double, T* c) {
        c[0] = static_cast<T>(-lr), c[1] = static_cast<T>(h[0]);
    }
    template <class T>
    static Vec<T> step(Vec<T> w, Vec<T> g, Vec<T>& v, Vec<T>&, const T* c) {
        const Vec<T> pull = g * c[0];
        v = fma(splat<Vec<T>>(c[1]), v, pull);
        return w + fma(splat<Vec<T>>(c[1]), v, pull);
    }
};

// s <- s + g^2; w <- w - lr g / (sqrt(s) + epsilon) (Duchi et al. 2011).
struct Adagrad {
    static constexpr const char* name = "adagrad";
    static constexpr double learning_rate = 0.01;
    static constexpr Index n_hyper = 1, n_state = 1, n_squares = 1;
    static constexpr Setting hyper[kMaxHyper] = {{"epsilon", 1e-10, 0, kInfinity, true}};
    template <class T>
    static void coefficients(const double* h, double lr, double, T* c) {
        c[0] = static_cast<T>(-lr), c[1] = static_cast<T>(h[0]);
    }
    template <class T>
    static Vec<T> step(Vec<T> w, Vec<T> g, Vec<T>& s, Vec<T>&, const T* c) {
        s = fma(g, g, s);
        return w + g * c[0] / (sqrt(s) + c[1]);
    }
};

// s <- rho s + (1 - rho) g^2; w <- w - lr g / (sqrt(s) + epsilon) (Hinton, lecture 6e, 2012).
struct Rmsprop {
    static constexpr const char* name = "rmsprop";
    static constexpr double learning_rate = 0.001;
    static constexpr Index n_hyper = 2, n_state = 1, n_squares = 1;
    static constexpr Setting hyper[kMaxHyper] = {{"rho", 0.9, 0, 1}, {"epsilon", 1e-8, 0, kInfinity, true}};
    template <class T>
    static void coefficients(const double* h, double lr, double, T* c) {
        c[0] = static_cast<T>(-lr), c[1] = static_cast<T>(h[0]), c[2] = static_cast<T>(1 - h[0]);
        c[3] = static_cast<T>(h[1]);
    }
    template <class T>
    static Vec<T> step(Vec<T> w, Vec<T> g, Vec<T>& s, Vec<T>&, const T* c) {
        s = fma(splat<Vec<T>>(c[1]), s, g * g * c[2]);
        return w + g * c[0] / (sqrt(s) + c[3]);
    }
};

// m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2;
// w <- w - lr m' / (sqrt(v') + epsilon) with m' = m / (1 - beta1^t), v' = v / (1 - beta2^t) (Kingma and Ba 2015).
struct Adam {
    static constexpr const char* name = "adam";
    static constexpr double learning_rate = 0.001;
    static constexpr Index n_hyper = 3, n_state = 2, n_squares = 1;
    static constexpr Setting hyper[kMaxHyper] = {
        {"beta1", 0.9, 0, 1}, {"beta2", 0.999, 0, 1}, {"epsilon", 1e-8, 0, kInfinity, true}};
    // The same with both averages as steps towards g and g^2, and with the corrections of v and m taken together:
    // lr m' / (sqrt(v') + epsilon) = (lr m root / (1 - beta1^t)) / (sqrt(v) + epsilon root), root = sqrt(1 - beta2^t).
    template <class T>
    static void coefficients(const double* h, double lr, double t, T* c) {
        const double root = __builtin_sqrt(1 - __builtin_pow(h[1], t));
        c[0] = static_cast<T>(1 - h[0]), c[1] = static_cast<T>(1 - h[1]);
        c[2] = static_cast<T>(-lr * root / (1 - __builtin_pow(h[0], t)));
        c[3] = static_cast<T>(h[2] * root);
    }
    template <class T>
    static Vec<T> step(Vec<T> w, Vec<T> g, Vec<T>& m, Vec<T>& v, const T* c) {
        m = fma(splat<Vec<T>>(c[0]), g - m, m);
        v = fma(splat<Vec<T>>(c[1]), fma(g, g, -v), v);
        return w + m * c[2] / (sqrt(v) + c[3]);
    }
};

// Adam, and w shrinks by lr times weight_decay at every step (Loshchilov and Hutter 2019).
struct AdamW {
    static constexpr const char* name = "adamw";
    static constexpr double learning_rate = 0.001;
    static constexpr Index n_hyper = 4, n_state = 2, n_squares = 1;
    static constexpr Setting hyper[kMaxHyper] = {{"beta1", 0.9, 0, 1},
                                                 {"beta2", 0.999, 0, 1},
                                                 {"epsilon", 1e-8, 0, kInfinity, true},
                                                 {"weight_decay", 0.01, 0, kInfinity}};
    template <class T>
    static void coefficients(const double* h, double lr, double t, T* c) {
        Adam::coefficients(h, lr, t, c);
        c[4] = static_cast<T>(1 - lr * h[3]);
    }
    template <class T>
    static Vec<T> step(Vec<T> w, Vec<T> g, Vec<T>& m, Vec<T>& v, const T* c) {
        return Adam::step<T>(w * c[4], g, m, v, c);
    }
};

using Optimizers = List<Sgd, Momentum, Nesterov, Adagrad, Rmsprop, Adam, AdamW>;

template <class O, bool ChangesGradients, class T>
bool update_all(T* w, const T* g, T* s1, T* s2, Index n, const Step<T> step) {
    using V = Vec<T>;
    bool all_finite = true;
    for (Index i = 0; i < n; i += kLanes<T>) {
        const V old = load<V>(w + i), old1 = O::n_state > 0 ? load<V>(s1 + i) : V{},
                old2 = O::n_state > 1 ? load<V>(s2 + i) : V{};
        V gradient = load<V>(g + i), v1 = old1, v2 = old2;
        if (ChangesGradients) {
            gradient = penalised<T>(gradient, old, step.l1, step.l2) * step.scale;
            if (step.clip != 0) gradient = min(max(gradient, -step.clip), step.clip);
        }
        V fresh = O::template step<T>(old, gradient, v1, v2, step.c);
        // Not zero where the weight is not finite, or the square in the state, which would freeze the weight.
        const V watched = O::n_state > 1 ? fresh + v2 : O::n_state > 0 ? fresh + v1 : fresh;
        const V zero = watched - watched;
        if (!all_zero(zero)) {
            const auto finite = zero == T(0);
            fresh = finite ? fresh : old, v1 = finite ? v1 : old1, v2 = finite ? v2 : old2;
            all_finite = false;
        }
        store(w + i, fresh);
        if (O::n_state > 0) store(s1 + i, v1);
        if (O::n_state > 1) store(s2 + i, v2);
    }
    return all_finite;
}

template <class O, class T>
bool update(T* w, const T* g, T* s1, T* s2, Index n, const Step<T>& step) {
    if (step.changes_gradients()) return update_all<O, true>(w, g, s1, s2, n, step);
    return update_all<O, false>(w, g, s1, s2, n, step);
}

}  // namespace
}  // namespace foxnn
