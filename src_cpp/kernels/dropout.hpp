// Dropout (Srivastava et al. 2014), "inverted": what is kept grows by 1 / (1 - rate), so that prediction needs nothing.
#pragma once
#include "kernels/philox.hpp"
#include "kernels/simd.hpp"

namespace foxnn {
namespace {

// Eight units share one block of random bits, 16 bits each; the block's address is (unit / 8, sample, layer, epoch).
template <class T>
void dropout(T* y, T* slope, Index rows, Index columns, Index ld, Index first_unit, const DropoutMask& mask,
             const std::int64_t* samples) {
    constexpr Index most = kMaxTileRows * 16;
    const Index first_block = first_unit / 8, blocks = (first_unit + columns - 1) / 8 - first_block + 1;
    std::uint32_t c[4][most];
    std::uint16_t random[most * 8];
    const Index height = most / blocks;  // rows done together; so many columns fit at least one
    const T kept = static_cast<T>(65536.0 / (65536.0 - mask.threshold));
    for (Index begin = 0; begin < rows; begin += height) {
        const Index end = begin + height < rows ? begin + height : rows, n = (end - begin) * blocks;
        for (Index r = begin, i = 0; r < end; r++)
            for (Index b = 0; b < blocks; b++, i++) {
                c[0][i] = static_cast<std::uint32_t>(first_block + b);
                c[1][i] = static_cast<std::uint32_t>(samples[r]);
                c[2][i] = mask.epoch;
                c[3][i] = static_cast<std::uint32_t>(Purpose::dropout) | mask.layer << 8;
            }
        philox(c[0], c[1], c[2], c[3], n, mask.seed);
        for (Index i = 0; i < n; i++)
            for (int word = 0; word < 4; word++) {
                random[8 * i + 2 * word] = static_cast<std::uint16_t>(c[word][i]);
                random[8 * i + 2 * word + 1] = static_cast<std::uint16_t>(c[word][i] >> 16);
            }
        for (Index r = begin; r < end; r++) {
            const std::uint16_t* bits = random + (r - begin) * blocks * 8 + first_unit % 8;
            T* const arrays[] = {y, slope};
            for (T* const array : arrays)
                for (Index j = 0; array && j < columns; j++)
                    array[r * ld + j] *= bits[j] < mask.threshold ? T(0) : kept;
        }
    }
}

}  // namespace
}  // namespace foxnn
