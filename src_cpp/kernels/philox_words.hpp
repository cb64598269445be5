// Philox for several addresses at once, a lane of 64 bits for each.
#pragma once
#include "kernels/philox.hpp"
#include "kernels/simd.hpp"

namespace foxnn {
namespace {

typedef std::uint64_t Words __attribute__((vector_size(FOXNN_VECTOR_BYTES)));
constexpr Index kWords = FOXNN_VECTOR_BYTES / sizeof(std::uint64_t);

// The compiler would multiply the high halves too.
template <>
FOXNN_INLINE Words low_product(Words a, std::uint32_t b) {
    const Words c = Words{} + b;
#if defined(__AVX512F__) && FOXNN_VECTOR_BYTES == 64
    return bits<Words>(_mm512_mul_epu32(bits<__m512i>(a), bits<__m512i>(c)));
#elif defined(__AVX2__) && FOXNN_VECTOR_BYTES == 32
    return bits<Words>(_mm256_mul_epu32(bits<__m256i>(a), bits<__m256i>(c)));
#elif defined(__SSE2__) && FOXNN_VECTOR_BYTES == 16
    return bits<Words>(_mm_mul_epu32(bits<__m128i>(a), bits<__m128i>(c)));
#elif defined(__aarch64__) && FOXNN_VECTOR_BYTES == 16
    return bits<Words>(vmull_u32(vmovn_u64(bits<uint64x2_t>(a)), vmovn_u64(bits<uint64x2_t>(c))));
#else
    return (a & 0xffffffff) * c;
#endif
}

// first, first + 1, .. in the lanes.
FOXNN_INLINE Words numbers_from(std::uint64_t first) { return bits<Words>(lane_numbers<double>()) + first; }

// Two random words of each lane as one number.
FOXNN_INLINE Words joined(Words low, Words high) { return (low & 0xffffffff) | high << 32; }

}  // namespace
}  // namespace foxnn
