// Random vectors that are orthonormal.
#pragma once
#include <cstdint>

#include "core/panels.hpp"

namespace foxnn {

// Fills w, in panels, with a random matrix of orthonormal rows, or columns if there are fewer of them; all such
// matrices are equally likely. The same bits for any number of threads.
template <class T>
void fill_orthogonal(std::uint64_t seed, std::uint32_t layer, const Panels<T>& panels, T* w, int n_threads);

}  // namespace foxnn
