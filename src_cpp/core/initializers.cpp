#include "core/initializers.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/interrupt.hpp"
#include "core/orthogonal.hpp"
#include "core/random.hpp"

namespace foxnn {
namespace {

// A part at a time, since there may be many.
template <class Number>
void fill(double* w, Index n, const Number& number) {
    constexpr Index at_once = 1 << 12;
    Watch watch;
    for (Index i = 0; i < n; i += at_once) {
        std::generate_n(w + i, std::min(at_once, n - i), number);
        watch.worked(at_once);
    }
}

// Fills the weights with numbers between -limit and limit, or of that standard deviation.
void fill_uniform(Stream& random, double limit, double* w, Index n) {
    fill(w, n, [&] { return random.uniform(-limit, limit); });
}
void fill_normal(Stream& random, double deviation, double* w, Index n) {
    fill(w, n, [&] { return deviation * random.normal(); });
}

}  // namespace

const std::vector<std::string>& initializer_names() {
    static const std::vector<std::string> names = {"glorot_uniform", "glorot_normal", "he_uniform",   "he_normal",
                                                   "he_fan_max",     "lecun_uniform", "lecun_normal", "orthogonal",
                                                   "zeros",          "foxnn"};
    return names;
}

const char* default_initializer(Start start) {
    switch (start) {
        case Start::he:
            return "he_normal";
        case Start::he_fan_max:
            return "he_fan_max";
        case Start::lecun:
            return "lecun_normal";
        case Start::glorot:
            break;
    }
    return "glorot_uniform";
}

void initialize(const std::string& name, Index n_in, Index n_out, std::uint64_t seed, std::uint32_t layer, double* w,
                double* bias, int n_threads) {
    Stream random(seed, Purpose::weights, layer);
    const Index n = n_in * n_out;
    const double fan_in = static_cast<double>(n_in), fans = static_cast<double>(n_in + n_out);
    std::fill_n(bias, n_out, 0.0);
    // Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998. A uniform start has the variance limit^2 / 3.
    if (name == "glorot_uniform") return fill_uniform(random, std::sqrt(6 / fans), w, n);
    if (name == "glorot_normal") return fill_normal(random, std::sqrt(2 / fans), w, n);
    if (name == "he_uniform") return fill_uniform(random, std::sqrt(6 / fan_in), w, n);
    if (name == "he_normal") return fill_normal(random, std::sqrt(2 / fan_in), w, n);
    // He's where a layer is not wider than what goes in; where it is, few inputs would else make many large outputs.
    if (name == "he_fan_max")
        return fill_normal(random, std::sqrt(2 / static_cast<double>(std::max(n_in, n_out))), w, n);
    if (name == "lecun_uniform") return fill_uniform(random, std::sqrt(3 / fan_in), w, n);
    if (name == "lecun_normal") return fill_normal(random, std::sqrt(1 / fan_in), w, n);
    if (name == "orthogonal") return fill_orthogonal(seed, layer, n_in, n_out, w, n_threads);  // Saxe et al. 2014
    if (name == "zeros") return std::fill_n(w, n, 0.0), void();
    if (name == "foxnn") {  // FoxNN 1.0's
        fill_uniform(random, 1, w, n);
        return fill_uniform(random, 1, bias, n_out);
    }
    throw std::invalid_argument("unknown initializer '" + name + "'");
}

}  // namespace foxnn
