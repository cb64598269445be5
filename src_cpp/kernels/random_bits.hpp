// The numbers of a stream, several blocks of Philox at once.
#pragma once
#include "kernels/philox_words.hpp"

namespace foxnn {
namespace {

inline void random_bits(std::uint64_t* out, Index n, std::uint64_t position, std::uint32_t index, std::uint32_t purpose,
                        std::uint64_t seed) {
    Words positions = numbers_from(position);
    for (Index i = 0; i < n; i += 2 * kWords, positions += static_cast<std::uint64_t>(kWords)) {
        Words c[4] = {positions, positions >> 32, Words{} + index, Words{} + purpose};
        philox(c, seed);
        const Words lower = joined(c[0], c[1]), upper = joined(c[2], c[3]);
        for (Index lane = 0; lane < kWords; lane++) {
            out[i + 2 * lane] = upper[lane];
            out[i + 2 * lane + 1] = lower[lane];
        }
    }
}

}  // namespace
}  // namespace foxnn
