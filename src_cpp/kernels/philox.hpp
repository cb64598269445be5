// Philox-4x32-10, a counter-based random generator (Salmon et al. 2011): the numbers at any address are had at once,
// so that what is drawn depends on the address alone, never on threads or order.
#pragma once
#include <cstdint>

#include "kernels/table.hpp"

namespace foxnn {

// What numbers are drawn for: the last word of their address.
enum class Purpose : std::uint32_t { weights = 1, shuffle = 2, dropout = 3, mutation = 4, input_noise = 5 };

namespace {

// The product of the low half of a, and b.
template <class Word>
inline Word low_product(Word a, std::uint32_t b) {
    return (a & 0xffffffff) * b;
}

// Turns an address of four words into a block of four random words: the low halves of c. The high halves may hold
// anything, before and after. Word is a number of 64 bits, or a vector of them.
template <class Word>
[[gnu::always_inline]] inline void philox(Word (&c)[4], std::uint64_t key) {
    std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; round++) {
        const Word p0 = low_product(c[0], 0xD2511F53), p1 = low_product(c[2], 0xCD9E8D57);
        c[0] = (p1 >> 32) ^ c[1] ^ k0, c[1] = p1;
        c[2] = (p0 >> 32) ^ c[3] ^ k1, c[3] = p0;
        k0 += 0x9E3779B9, k1 += 0xBB67AE85;
    }
}

}  // namespace
}  // namespace foxnn
