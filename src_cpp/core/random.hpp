// Streams of random numbers, each with its own address.
#pragma once
#include <cmath>
#include <cstdint>

#include "kernels/philox.hpp"

namespace foxnn {

// The numbers of one purpose and one index (a layer, an epoch, ...), one after the other.
class Stream {
  public:
    Stream(std::uint64_t seed, Purpose purpose, std::uint32_t index)
        : seed_(seed), purpose_(static_cast<std::uint32_t>(purpose)), index_(index) {}

    std::uint64_t bits() {
        if (left_ == 0) {
            block_[0] = position_, block_[1] = position_ >> 32, block_[2] = index_, block_[3] = purpose_;
            philox(block_, seed_);
            position_++;
            left_ = 2;
        }
        left_--;
        return (block_[2 * left_] & 0xffffffff) | block_[2 * left_ + 1] << 32;
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
    std::uint64_t block_[4] = {};
    int left_ = 0;
};

}  // namespace foxnn
