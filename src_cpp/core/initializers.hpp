// Initial values of weights.
#pragma once
#include <string>
#include <vector>

#include "core/panels.hpp"

namespace foxnn {

// The names of all initializers, in the order in which users see them.
const std::vector<std::string>& initializer_names();
// The one that suits an activation.
const char* default_initializer(DefaultInit init);
// Draws a layer's weights, in its panels, and biases; the numbers depend on the seed and on the layer's number `index`,
// not on T.
template <class T>
void initialize(const std::string& name, const Panels<T>& panels, std::uint64_t seed, std::uint32_t index, T* weights,
                T* bias, int n_threads);

}  // namespace foxnn
