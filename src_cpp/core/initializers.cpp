#include "core/initializers.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/random.hpp"

namespace foxnn {
namespace {

// Fills the weights with numbers between -limit and limit, or of that standard deviation.
void fill_uniform(Stream& random, double limit, double* w, Index n) {
    std::generate_n(w, n, [&] { return random.uniform(-limit, limit); });
}
void fill_normal(Stream& random, double deviation, double* w, Index n) {
    std::generate_n(w, n, [&] { return deviation * random.normal(); });
}

// Saxe et al. 2014: the rows (or columns, if there are fewer of them) of W are orthonormal. Gram-Schmidt, done twice,
// on vectors of normal numbers.
void fill_orthogonal(Stream& random, Index n_in, Index n_out, double* w) {
    const Index count = std::min(n_in, n_out), length = std::max(n_in, n_out);
    std::vector<double> q(static_cast<std::size_t>(count * length));
    for (Index i = 0; i < count; i++) {
        double* const v = q.data() + i * length;
        fill_normal(random, 1, v, length);
        for (int twice = 0; twice < 2; twice++)
            for (Index j = 0; j < i; j++) {
                const double* const u = q.data() + j * length;
                double dot = 0;
                for (Index x = 0; x < length; x++) dot += u[x] * v[x];
                for (Index x = 0; x < length; x++) v[x] -= dot * u[x];
            }
        double norm = 0;
        for (Index x = 0; x < length; x++) norm += v[x] * v[x];
        for (Index x = 0; x < length; x++) v[x] /= std::sqrt(norm);
    }
    for (Index i = 0; i < n_in; i++)
        for (Index j = 0; j < n_out; j++) w[i * n_out + j] = n_in <= n_out ? q[i * length + j] : q[j * length + i];
}

}  // namespace

const std::vector<std::string>& initializer_names() {
    static const std::vector<std::string> names = {"glorot_uniform", "glorot_normal", "he_uniform",
                                                   "he_normal",      "lecun_uniform", "lecun_normal",
                                                   "orthogonal",     "zeros",         "foxnn"};
    return names;
}

const char* default_initializer(Start start) {
    return start == Start::he ? "he_normal" : start == Start::lecun ? "lecun_normal" : "glorot_uniform";
}

void initialize(const std::string& name, Index n_in, Index n_out, std::uint64_t seed, std::uint32_t layer, double* w,
                double* bias) {
    Stream random(seed, Purpose::weights, layer);
    const Index n = n_in * n_out;
    const double fan_in = static_cast<double>(n_in), fans = static_cast<double>(n_in + n_out);
    std::fill_n(bias, n_out, 0.0);
    // Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998. A uniform start has the variance limit^2 / 3.
    if (name == "glorot_uniform") return fill_uniform(random, std::sqrt(6 / fans), w, n);
    if (name == "glorot_normal") return fill_normal(random, std::sqrt(2 / fans), w, n);
    if (name == "he_uniform") return fill_uniform(random, std::sqrt(6 / fan_in), w, n);
    if (name == "he_normal") return fill_normal(random, std::sqrt(2 / fan_in), w, n);
    if (name == "lecun_uniform") return fill_uniform(random, std::sqrt(3 / fan_in), w, n);
    if (name == "lecun_normal") return fill_normal(random, std::sqrt(1 / fan_in), w, n);
    if (name == "orthogonal") return fill_orthogonal(random, n_in, n_out, w);
    if (name == "zeros") return std::fill_n(w, n, 0.0), void();
    if (name == "foxnn") {  // FoxNN 1.0's
        fill_uniform(random, 1, w, n);
        return fill_uniform(random, 1, bias, n_out);
    }
    throw std::invalid_argument("unknown initializer '" + name + "'");
}

}  // namespace foxnn
