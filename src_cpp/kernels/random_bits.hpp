// The numbers of a stream, several blocks of Philox at once.
#pragma once
#include "kernels/philox_words.hpp"

namespace foxnn {
namespace {

inline void random_bits(std::uint64_t* out, Index n, std::uint64_t position, std::uint32_t index, std::uint32_t purpose,
                        std::uint64_t seed) {
    Words positions;
    for (Index lane = 0; lane < kWords; lane++) positions[lane] = position + static_cast<std::uint64_t>(lane);
    for (Index i = 0; i < n; i += 2 * kWords, positions += static_cast<std::uint64_t>(kWords)) {
        Words c[4] = {positions, positions >> 32, Words{} + index, Words{} + purpose};
        philox(c, seed);
        const Words lower = (c[0] & 0xffffffff) | c[1] << 32, upper = (c[2] & 0xffffffff) | c[3] << 32;
        for (Index lane = 0; lane < kWords; lane++) {
            out[i + 2 * lane] = upper[lane];
            out[i + 2 * lane + 1] = lower[lane];
        }
    }
}

}  // namespace
}  // namespace foxnn
