// All kinds of layers by name. A new one is a file beside this one, and an entry in kinds.cpp.
#pragma once
#include "core/layer.hpp"

namespace foxnn {

const std::vector<std::string>& layer_kinds();

// A layer of that kind, for inputs of that shape.
template <class T>
std::unique_ptr<Layer<T>> make_layer(const std::string& kind, const Shape& inputs, const LayerSettings& settings);

}  // namespace foxnn
