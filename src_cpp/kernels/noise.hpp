// Gaussian noise on inputs (Sietsma and Dow 1991; Bishop 1995: a penalty on the slope of the outputs).
#pragma once
#include "kernels/math.hpp"
#include "kernels/philox_words.hpp"

namespace foxnn {
namespace {

// One block of four random words makes four normal numbers (Box and Muller 1958); its address is (block, sample,
// epoch). Of m blocks for n inputs, block b makes the noise of the inputs b, b + m, b + 2 m and b + 3 m.
template <class T>
void add_noise(T* x, Index n, T deviation, std::uint64_t seed, std::uint32_t epoch, std::uint32_t sample) {
    using V = Vec<T>;
    constexpr Index most = 64;  // blocks made together; a multiple of all vectors' lanes
    std::uint32_t c[4][most];
    T normal[4][most], uniform[2][most];
    const Index blocks = (n + 3) / 4;
    const auto purpose = static_cast<std::uint32_t>(Purpose::input_noise);
    for (Index begin = 0; begin < blocks; begin += most) {
        for (Index i = 0; i < most; i += kWords) {
            Words block[4] = {numbers_from(static_cast<std::uint64_t>(begin + i)), Words{} + sample, Words{} + epoch,
                              Words{} + purpose};
            philox(block, seed);
            for (int k = 0; k < 4; k++)
                for (Index lane = 0; lane < kWords; lane++) c[k][i + lane] = static_cast<std::uint32_t>(block[k][lane]);
        }
        for (int pair = 0; pair < 2; pair++) {
            for (int k = 0; k < 2; k++)
                for (Index i = 0; i < most; i++)  // in (0, 1]
                    uniform[k][i] = (static_cast<T>(c[2 * pair + k][i]) + T(0.5)) * T(0x1p-32);
            for (Index i = 0; i < most; i += kLanes<T>) {
                const V radius = sqrt(log<T>(load<V>(uniform[0] + i)) * T(-2)) * deviation;
                const V angle = load<V>(uniform[1] + i) * T(6.283185307179586477);
                store(normal[2 * pair] + i, radius * cos<T>(angle));
                store(normal[2 * pair + 1] + i, radius * sin<T>(angle));
            }
        }
        for (Index k = 0; k < 4; k++)
            for (Index i = 0, at = k * blocks + begin; i < most && begin + i < blocks && at < n; i++, at++)
                x[at] += normal[k][i];
    }
}

}  // namespace
}  // namespace foxnn
