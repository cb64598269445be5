// Philox-4x32-10, a counter-based random generator (Salmon et al. 2011): the numbers at any address are had at once,
// so that what is drawn depends on the address alone, never on threads or order.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>

namespace foxnn {

using Counter = std::array<std::uint32_t, 4>;

inline Counter philox(Counter c, std::uint64_t key) {
    std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; round++) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c[0], p1 = std::uint64_t{0xCD9E8D57} * c[2];
        c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
             static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
        k0 += 0x9E3779B9, k1 += 0xBB67AE85;
    }
    return c;
}

// What numbers are drawn for: a part of their address.
enum class Purpose : std::uint32_t { weights = 1, shuffle = 2, dropout = 3, mutation = 4 };

// The numbers of one purpose and one index (a layer, an epoch, ...), one after the other.
class Stream {
  public:
    Stream(std::uint64_t seed, Purpose purpose, std::uint32_t index)
        : seed_(seed), purpose_(static_cast<std::uint32_t>(purpose)), index_(index) {}

    std::uint64_t bits() {
        if (left_ == 0) {
            block_ = philox({static_cast<std::uint32_t>(position_), static_cast<std::uint32_t>(position_ >> 32), index_,
                             purpose_},
                            seed_);
            position_++;
            left_ = 2;
        }
        left_--;
        return block_[2 * left_] | std::uint64_t{block_[2 * left_ + 1]} << 32;
    }
    // In [0, 1), with 53 bits.
    double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    // Standard normal (Box and Muller 1958).
    double normal() {
        const double radius = std::sqrt(-2 * std::log(1 - uniform()));
        return radius * std::cos(6.283185307179586477 * uniform());
    }
    // In [0, n), for n < 2^32; the bias, below n / 2^64, is far from measurable.
    std::uint32_t below(std::uint32_t n) {
        const std::uint64_t b = bits(), high = (b >> 32) * n, low = ((b & 0xffffffff) * n) >> 32;
        return static_cast<std::uint32_t>((high + low) >> 32);
    }

  private:
    std::uint64_t seed_, position_ = 0;
    std::uint32_t purpose_, index_;
    Counter block_{};
    int left_ = 0;
};

}  // namespace foxnn
