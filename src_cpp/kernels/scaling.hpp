// Reading numbers feature by feature: in double precision, since what is left when a large shift is taken away may be
// small.
#pragma once
#include "kernels/simd.hpp"

namespace foxnn {
namespace {

template <class From, class T>
void scale(const From* in, Index n, double scale, double offset, const double* shift, const double* factor, T* out) {
    for (Index i = 0; i < n; i++)
        out[i] = static_cast<T>((static_cast<double>(in[i]) * scale + offset - shift[i]) * factor[i]);
}

}  // namespace
}  // namespace foxnn
