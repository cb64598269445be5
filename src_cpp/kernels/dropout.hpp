// Dropout (Srivastava et al. 2014), "inverted": what is kept grows by 1 / (1 - rate), so that prediction needs nothing.
#pragma once
#include "kernels/philox_words.hpp"
#include "kernels/simd.hpp"

namespace foxnn {
namespace {

// Eight units share one block of random bits, 16 bits each; the block's address is (unit / 8, sample, layer, epoch).
template <class T>
void dropout(T* y, T* derivative, Index rows, Index columns, Index ld, Index first_unit, const DropoutMask& mask,
             const std::int64_t* samples) {
    using V = Vec<T>;
    constexpr Index most = kMaxTileRows * 16, per_block = 8;
    const Index first_block = first_unit / per_block, blocks = (first_unit + columns - 1) / per_block - first_block + 1;
    std::uint64_t block_numbers[most + kWords], sample_numbers[most + kWords];  // whole vectors are read
    std::uint16_t random[(most + kWords) * per_block];
    const Index height = most / blocks;  // rows done together; so many columns fit at least one
    const T kept = static_cast<T>(65536.0 / (65536.0 - mask.threshold));
    const auto threshold = static_cast<typename Number<T>::Int>(mask.threshold);
    const std::uint32_t purpose = static_cast<std::uint32_t>(Purpose::dropout) | mask.layer << 8;
    for (Index begin = 0; begin < rows; begin += height) {
        const Index end = begin + height < rows ? begin + height : rows, n = (end - begin) * blocks;
        for (Index r = begin, i = 0; r < end; r++)
            for (Index b = 0; b < blocks; b++, i++) block_numbers[i] = first_block + b, sample_numbers[i] = samples[r];
        for (Index i = 0; i < n; i += kWords) {
            Words c[4] = {load<Words>(block_numbers + i), load<Words>(sample_numbers + i), Words{} + mask.epoch,
                          Words{} + purpose};
            philox(c, mask.seed);
            const Words low = joined(c[0], c[1]), high = joined(c[2], c[3]);
            for (Index lane = 0; lane < kWords; lane++) {
                store(random + (i + lane) * per_block, low[lane]);
                store(random + (i + lane) * per_block + per_block / 2, high[lane]);
            }
        }
        for (Index r = begin; r < end; r++) {
            const std::uint16_t* of_row = random + (r - begin) * blocks * per_block + first_unit % per_block;
            for (Index j = 0; j < columns; j += kLanes<T>) {
                const V factor = widened<T>(of_row + j) < threshold ? V{} : splat<V>(kept);
                T* const y_j = y + r * ld + j;
                store(y_j, load<V>(y_j) * factor);
                if (!derivative) continue;
                T* const derivative_j = derivative + r * ld + j;
                store(derivative_j, load<V>(derivative_j) * factor);
            }
        }
    }
}

}  // namespace
}  // namespace foxnn
