// Streams of random numbers, each with its own address.
#pragma once
#include <cmath>
#include <cstdint>

#include "kernels/dispatch.hpp"
#include "kernels/philox.hpp"

namespace foxnn {

// The numbers of one purpose and one index (a layer, an epoch, ...), one after the other; two of them are a block, and
// it may begin with any.
class Stream {
  public:
    Stream(std::uint64_t seed, Purpose purpose, std::uint32_t index, Index first_block = 0)
        : seed_(seed),
          position_(static_cast<std::uint64_t>(first_block)),
          purpose_(static_cast<std::uint32_t>(purpose)),
          index_(index) {}

    std::uint64_t bits() {
        if (next_ == kAtOnce) {
            kernels<float>().random_bits(numbers_, kAtOnce, position_, index_, purpose_, seed_);
            position_ += kAtOnce / 2;
            next_ = 0;
        }
        return numbers_[next_++];
    }
    // In [0, 1), with 53 bits.
    double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    // Standard normal (Box and Muller 1958).
    double normal() {
        const double radius = std::sqrt(-2 * std::log(1 - uniform()));
        return radius * std::cos(6.283185307179586477 * uniform());
    }
    // In [0, n), for n < 2^32. The numbers are not exactly equally likely, but the difference, below n / 2^64, is far
    // too small to be measured.
    std::uint32_t below(std::uint32_t n) {
        const std::uint64_t b = bits(), high = (b >> 32) * n, low = ((b & 0xffffffff) * n) >> 32;
        return static_cast<std::uint32_t>((high + low) >> 32);
    }

  private:
    static constexpr Index kAtOnce = 64;
    std::uint64_t seed_, position_;  // the position is that of the next block
    std::uint32_t purpose_, index_;
    std::uint64_t numbers_[kAtOnce];
    Index next_ = kAtOnce;
};

}  // namespace foxnn
