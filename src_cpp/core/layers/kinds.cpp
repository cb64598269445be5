#include "core/layers/kinds.hpp"

#include "core/layers/dense.hpp"
#include "core/layers/scale.hpp"

namespace foxnn {
namespace {

template <class T>
struct Kind {
    const char* name;
    std::unique_ptr<Layer<T>> (*make)(const Shape& inputs, const LayerSettings& settings);
};

template <class T>
constexpr Kind<T> kKinds[] = {{"dense", &Dense<T>::make}, {"scale", &Scale<T>::make}};

}  // namespace

const std::vector<std::string>& layer_kinds() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const auto& kind : kKinds<float>) all.emplace_back(kind.name);
        return all;
    }();
    return names;
}

template <class T>
std::unique_ptr<Layer<T>> make_layer(const std::string& name, const Shape& inputs, const LayerSettings& settings) {
    for (const Kind<T>& kind : kKinds<T>)
        if (name == kind.name) return kind.make(inputs, settings);
    throw std::invalid_argument("unknown kind of layer '" + name + "'");
}

template std::unique_ptr<Layer<float>> make_layer(const std::string&, const Shape&, const LayerSettings&);
template std::unique_ptr<Layer<double>> make_layer(const std::string&, const Shape&, const LayerSettings&);

}  // namespace foxnn
