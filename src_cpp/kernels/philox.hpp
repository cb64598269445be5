// Philox-4x32-10, a counter-based random generator (Salmon et al. 2011): the numbers at any address are had at once,
// so that what is drawn depends on the address alone, never on threads or order.
#pragma once
#include <cstdint>

#include "kernels/table.hpp"

namespace foxnn {

// What numbers are drawn for: the last word of their address.
enum class Purpose : std::uint32_t { weights = 1, shuffle = 2, dropout = 3, mutation = 4, input_noise = 5 };

namespace {

// Turns n addresses, of four words each, into as many blocks of four random words.
inline void philox(std::uint32_t* c0, std::uint32_t* c1, std::uint32_t* c2, std::uint32_t* c3, Index n,
                   std::uint64_t key) {
    std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; round++) {
        for (Index i = 0; i < n; i++) {
            const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c0[i], p1 = std::uint64_t{0xCD9E8D57} * c2[i];
            const std::uint32_t c1_old = c1[i], c3_old = c3[i];
            c0[i] = static_cast<std::uint32_t>(p1 >> 32) ^ c1_old ^ k0;
            c1[i] = static_cast<std::uint32_t>(p1);
            c2[i] = static_cast<std::uint32_t>(p0 >> 32) ^ c3_old ^ k1;
            c3[i] = static_cast<std::uint32_t>(p0);
        }
        k0 += 0x9E3779B9, k1 += 0xBB67AE85;
    }
}

}  // namespace
}  // namespace foxnn
