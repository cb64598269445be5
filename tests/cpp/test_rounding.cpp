// The quotient and the root made of multiply-adds equal the processor's correctly rounded ones, for every mantissa and
// for approximations to start from that are as bad as they may be.
#define FOXNN_VECTOR_BYTES 32
#include <cstdio>
#include <cstdlib>
#include <initializer_list>

#include "kernels/simd.hpp"

using namespace foxnn;
using V = Vec<float>;

int main() {
    long wrong = 0;
    const float errors[] = {0.0f, 6.1e-5f, -6.1e-5f, 3e-5f, -2e-5f};  // 2^-14 is 6.1e-5
    for (std::int32_t i = 0; i < 1 << 24; i += 8) {                   // mantissas of [1, 4)
        V x;
        for (int lane = 0; lane < 8; lane++) x[lane] = bits<float>(0x3f800000 + i + lane);
        const V exact_root = sqrt(x), one = splat<V>(1.0f);
        for (const float error : errors) {
            const V r = one / exact_root * (1 + error);
            wrong += any(root_from(x, r) != exact_root);
        }
        if (i >= 1 << 23) continue;
        for (const float error : errors)
            for (const float numerator : {1.0f, 1.5f, 1.9999999f, -1.2345678f, 3.1415927f}) {
                const V a = splat<V>(numerator), r = one / x * (1 + error);
                const bool exception = numerator == 1 && i == (1 << 23) - 8;  // among them: all bits of x are ones
                wrong += !exception && any(quotient_from(a, x, r) != a / x);
                // and for numerators all over the place
                const V b = bits<V>((bits<IntVec<float>>(x) * 747796405 & 0x007fffff) | 0x3f800000);
                wrong += any(quotient_from(b, x, r) != b / x);
            }
    }
    std::printf("%ld vectors wrong\n", wrong);
    return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
