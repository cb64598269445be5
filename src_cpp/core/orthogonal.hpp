// Random vectors that are orthonormal.
#pragma once
#include <cstdint>

#include "kernels/table.hpp"

namespace foxnn {

// Orthonormal rows, or columns if there are fewer of them, w (n_in, n_out), row-major: drawn with equal chance from all
// that there are. The same bits for any number of threads.
void fill_orthogonal(std::uint64_t seed, std::uint32_t layer, Index n_in, Index n_out, double* w, int n_threads);

}  // namespace foxnn
