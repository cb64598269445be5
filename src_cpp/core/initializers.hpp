// How weights start.
#pragma once
#include <string>
#include <vector>

#include "kernels/table.hpp"

namespace foxnn {

// All names, in the order they are listed to users.
const std::vector<std::string>& initializer_names();
// The one that suits an activation.
const char* default_initializer(Start start);
// Weights (n_in, n_out), row-major, and biases (n_out,) of layer number `layer`; they depend on the seed, not on T.
void initialize(const std::string& name, Index n_in, Index n_out, std::uint64_t seed, std::uint32_t layer,
                double* weights, double* bias, int n_threads);

}  // namespace foxnn
