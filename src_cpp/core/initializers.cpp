#include "core/initializers.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/interrupt.hpp"
#include "core/orthogonal.hpp"
#include "core/random.hpp"

namespace foxnn {
namespace {

// Fills row after row, each across all panels: so the numbers do not depend on how wide panels are.
template <class T, class Number>
void fill(const Panels<T>& panels, T* w, const Number& number) {
    Watch watch;
    for (Index i = 0; i < panels.rows; i++)
        for (Index p = 0; p < panels.count; p++) {
            const Index n = std::min(panels.width, panels.columns - panels.first_column(p));
            std::generate_n(w + panels.at(i, panels.first_column(p)), n, [&] { return static_cast<T>(number()); });
            watch.worked(n);
        }
}

}  // namespace

const std::vector<std::string>& initializer_names() {
    static const std::vector<std::string> names = {"glorot_uniform", "glorot_normal", "he_uniform",   "he_normal",
                                                   "he_fan_max",     "lecun_uniform", "lecun_normal", "orthogonal",
                                                   "zeros",          "foxnn"};
    return names;
}

const char* default_initializer(DefaultInit init) {
    switch (init) {
        case DefaultInit::he:
            return "he_normal";
        case DefaultInit::he_fan_max:
            return "he_fan_max";
        case DefaultInit::lecun:
            return "lecun_normal";
        case DefaultInit::glorot:
            break;
    }
    return "glorot_uniform";
}

template <class T>
void initialize(const std::string& name, const Panels<T>& panels, std::uint64_t seed, std::uint32_t index, T* w,
                T* bias, int n_threads) {
    Stream random(seed, Purpose::weights, index);
    const double fan_in = static_cast<double>(panels.rows), fans = static_cast<double>(panels.rows + panels.columns);
    // Fill the weights with numbers between -limit and limit, or with normal numbers of that standard deviation.
    const auto uniform = [&](double limit) { fill(panels, w, [&] { return random.uniform(-limit, limit); }); };
    const auto normal = [&](double deviation) { fill(panels, w, [&] { return deviation * random.normal(); }); };
    std::fill_n(bias, panels.columns, T(0));
    // Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998. A uniform distribution has the variance limit^2 / 3.
    if (name == "glorot_uniform") return uniform(std::sqrt(6 / fans));
    if (name == "glorot_normal") return normal(std::sqrt(2 / fans));
    if (name == "he_uniform") return uniform(std::sqrt(6 / fan_in));
    if (name == "he_normal") return normal(std::sqrt(2 / fan_in));
    // As He's, except for a layer with more outputs than inputs, where He's weights would make too many large outputs.
    if (name == "he_fan_max") return normal(std::sqrt(2 / static_cast<double>(std::max(panels.rows, panels.columns))));
    if (name == "lecun_uniform") return uniform(std::sqrt(3 / fan_in));
    if (name == "lecun_normal") return normal(std::sqrt(1 / fan_in));
    if (name == "orthogonal") return fill_orthogonal(seed, index, panels, w, n_threads);  // Saxe et al. 2014
    if (name == "zeros") return fill(panels, w, [] { return 0.0; });
    if (name == "foxnn") {  // FoxNN 1.0's
        uniform(1);
        std::generate_n(bias, panels.columns, [&] { return static_cast<T>(random.uniform(-1, 1)); });
        return;
    }
    throw std::invalid_argument("unknown initializer '" + name + "'");
}

template void initialize(const std::string&, const Panels<float>&, std::uint64_t, std::uint32_t, float*, float*, int);
template void initialize(const std::string&, const Panels<double>&, std::uint64_t, std::uint32_t, double*, double*,
                         int);

}  // namespace foxnn
