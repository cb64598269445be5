// Every kernel on every instruction set that runs here, against loops written the obvious way. All memory ends at (or
// begins after) a page that must not be touched, and numbers are small integers, so that sums are exact in any order.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "core/denormals.hpp"
#include "kernels/dispatch.hpp"
#include "kernels/philox.hpp"

namespace foxnn {
#if defined(FOXNN_X86)
InstructionSet wide_kernels();
#endif
}  // namespace foxnn
using namespace foxnn;

namespace {

int failures = 0;
void check(bool ok, const char* set, const char* what, Index a, Index b, Index c) {
    if (!ok && failures++ < 20)
        std::printf("%s: %s differs at %ld, %ld, %ld\n", set, what, static_cast<long>(a), static_cast<long>(b),
                    static_cast<long>(c));
}

// n numbers between two pages that must not be touched: at the end of what lies between, or at its beginning.
template <class T>
class Guarded {
  public:
    Guarded(Index n, bool at_end) : n_(n) {
        const std::size_t bytes = static_cast<std::size_t>(n) * sizeof(T);
#if defined(__unix__) || defined(__APPLE__)
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), inner = (bytes + page - 1) / page * page;
        size_ = inner + 2 * page;
        base_ = static_cast<char*>(mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (base_ == MAP_FAILED || mprotect(base_, page, PROT_NONE) || mprotect(base_ + page + inner, page, PROT_NONE))
            std::abort();
        data_ = reinterpret_cast<T*>(base_ + page + (at_end ? inner - bytes : 0));
#else
        (void)at_end;
        data_ = static_cast<T*>(std::malloc(bytes));
#endif
        for (Index i = 0; i < n; i++) data_[i] = static_cast<T>((i * 7 + 3) % 11 - 5);
    }
    ~Guarded() {
#if defined(__unix__) || defined(__APPLE__)
        munmap(base_, size_);
#else
        std::free(data_);
#endif
    }
    Guarded(const Guarded&) = delete;
    T* data() { return data_; }
    T& operator[](Index i) { return data_[i]; }
    Index size() const { return n_; }

  private:
    Index n_;
    T* data_;
    char* base_ = nullptr;
    std::size_t size_ = 0;
};

template <class T>
void test_tiles(const char* set, const Kernels<T>& k) {
    for (bool at_end : {true, false})
        for (int vectors = 1; vectors <= kMaxPanelVectors; vectors++)
            for (Index rows = 1; rows <= k.tile_rows[vectors]; rows++)
                for (Index depth = 1; depth <= 33; depth++)
                    for (Index gap : {0, 3}) {
                        const Index width = vectors * k.lanes, ldb = width + gap, ldc = width + gap;
                        const Index lda = depth + gap, lda_t = rows + gap;
                        // The last row of a strided matrix ends where its numbers do.
                        Guarded<T> a((rows - 1) * lda + depth, at_end);
                        Guarded<T> a_t((depth - 1) * lda_t + rows, at_end), b((depth - 1) * ldb + width, at_end);
                        Guarded<T> row(width, at_end), c((rows - 1) * ldc + width, at_end);
                        std::vector<T> expected(static_cast<std::size_t>(rows * width));
                        const auto reference = [&](bool transposed, const T* init, Index ldi) {
                            for (Index i = 0; i < rows; i++)
                                for (Index j = 0; j < width; j++) {
                                    T sum = init ? init[i * ldi + j] : T(0);
                                    for (Index x = 0; x < depth; x++)
                                        sum += (transposed ? a_t[x * lda_t + i] : a[i * lda + x]) * b[x * ldb + j];
                                    expected[i * width + j] = sum;
                                }
                        };
                        const auto compare = [&](const char* what) {
                            for (Index i = 0; i < rows; i++)
                                for (Index j = 0; j < width; j++)
                                    check(c[i * ldc + j] == expected[i * width + j], set, what, rows, width, depth);
                        };
                        reference(false, row.data(), 0);
                        k.tile[vectors][rows](depth, a.data(), lda, b.data(), ldb, row.data(), 0, c.data(), ldc);
                        compare("tile");
                        reference(true, nullptr, 0);
                        k.tile_at[vectors][rows](depth, a_t.data(), lda_t, b.data(), ldb, nullptr, 0, c.data(), ldc);
                        compare("transposed tile");
                        reference(true, c.data(), ldc);  // going on from c itself
                        k.tile_at[vectors][rows](depth, a_t.data(), lda_t, b.data(), ldb, c.data(), ldc, c.data(), ldc);
                        compare("transposed tile, continued");
                    }
}

template <class T>
void test_row(const char* set, const Kernels<T>& k) {
    const Index width = 2 * k.lanes;
    for (Index panels = 0; panels <= 9; panels++)
        for (Index depth : {1, 2, 7, 33}) {
            Guarded<T> a(depth, true), b(panels * depth * width, true), init(panels * width, true),
                c(panels * width, true);
            k.row(depth, a.data(), b.data(), panels, init.data(), c.data());
            for (Index j = 0; j < panels * width; j++) {
                T sum = init[j];
                for (Index x = 0; x < depth; x++) sum += a[x] * b[j / width * depth * width + x * width + j % width];
                check(c[j] == sum, set, "row", panels, depth, j);
            }
        }
}

template <class T>
void test_moves(const char* set, const Kernels<T>& k) {
    for (Index rows = 1; rows <= 33; rows++)
        for (Index columns = 1; columns <= 33; columns++) {
            const Index ldi = columns + 2, ldo = rows + 1;
            Guarded<T> in((rows - 1) * ldi + columns, true), out((columns - 1) * ldo + rows, true);
            k.transpose(in.data(), rows, columns, ldi, out.data(), ldo);
            for (Index i = 0; i < rows; i++)
                for (Index j = 0; j < columns; j++)
                    check(out[j * ldo + i] == in[i * ldi + j], set, "transpose", rows, columns, i);
            const Index width = k.tile_rows[2], last = (columns - 1) / width, stride = rows * width + 3;
            Guarded<T> tiles(last * stride + (rows - 1) * width + columns - last * width, true);
            k.pack_tiles(in.data(), rows, columns, ldi, tiles.data(), stride);
            for (Index i = 0; i < rows; i++)
                for (Index j = 0; j < columns; j++)
                    check(tiles[j / width * stride + i * width + j % width] == in[i * ldi + j], set, "pack tiles", rows,
                          columns, i);
            if (columns % k.lanes) continue;
            Guarded<T> packed(rows * columns, true), sums(columns, true);
            k.pack(in.data(), rows, columns, ldi, packed.data());
            k.column_sums(in.data(), rows, columns, ldi, false, sums.data());
            for (Index j = 0; j < columns; j++) {
                T sum = 0;
                for (Index i = 0; i < rows; i++) {
                    sum += in[i * ldi + j];
                    check(packed[i * columns + j] == in[i * ldi + j], set, "pack", rows, columns, i);
                }
                check(sums[j] == sum, set, "column sums", rows, columns, j);
            }
        }
}

template <class T>
void test_conversions(const char* set, const Kernels<T>& k) {
    for (Index n = 1; n <= 70; n++) {
        Guarded<std::uint8_t> bytes(n, true);
        Guarded<float> floats(n, true);
        Guarded<double> doubles(n, true);
        Guarded<T> out(n, true);
        k.convert_u8(bytes.data(), n, T(2), T(-1), out.data());
        for (Index i = 0; i < n; i++) check(out[i] == T(bytes[i]) * 2 - 1, set, "convert uint8", n, i, 0);
        k.convert_f32(floats.data(), n, T(0.5), T(3), out.data());
        for (Index i = 0; i < n; i++) check(out[i] == T(floats[i]) / 2 + 3, set, "convert float", n, i, 0);
        k.convert_f64(doubles.data(), n, T(1), T(0), out.data());
        for (Index i = 0; i < n; i++) check(out[i] == T(doubles[i]), set, "convert double", n, i, 0);
        check(k.all_finite(out.data(), n), set, "all finite", n, 0, 0);
        for (const T bad : {T(NAN), T(INFINITY), T(-INFINITY)})
            for (Index i = 0; i < n; i++) {
                const T kept = out[i];
                out[i] = bad;
                check(!k.all_finite(out.data(), n), set, "not all finite", n, i, 0);
                out[i] = kept;
            }
    }
}

template <class T>
void test_rows(const char* set, const Kernels<T>& k) {
    // What works on rows may read and write up to the next multiple of `lanes`, and nothing beyond.
    const T parameters[kMaxParameters] = {T(0.5), T(0.5)};
    for (Index n : {1, 3, 8, 10, 16, 17, 33})
        for (Index rows : {1, 4}) {
            const Index padded = (n + k.lanes - 1) / k.lanes * k.lanes, ld = padded + k.lanes;
            const Index size = (rows - 1) * ld + padded;
            Guarded<T> y(size, true), s(size, true), d(size, true), t(size, true), weight(rows, true), loss(rows, true);
            for (Index i = 0; i < k.n_activations; i++) {
                const auto& a = k.activations[i];
                const Index columns = a.rowwise ? n : padded;
                a.forward(y.data(), a.derivative_from_output ? nullptr : s.data(), rows, columns, ld, parameters);
                if (a.backward) a.backward(d.data(), y.data(), rows, columns, ld, parameters);
            }
            k.multiply(d.data(), s.data(), rows, padded, ld);
            for (Index i = 0; i < k.n_losses; i++) {
                for (Index r = 0; r < rows; r++)
                    for (Index j = 0; j < padded; j++)
                        y[r * ld + j] = T(0.25), t[r * ld + j] = T(j < n), d[r * ld + j] = 9;
                k.losses[i].rows(y.data(), t.data(), weight.data(), d.data(), loss.data(), rows, n, ld, ld, parameters);
                for (Index r = 0; r < rows; r++)
                    for (Index j = n; j < padded; j++)
                        check(d[r * ld + j] == 0, set, k.losses[i].name, n, r, j);  // the padding's gradient is zero
            }
        }
}

// What a dropout kernel does to one output.
template <class T>
T dropped(T x, const DropoutMask& mask, Index unit, std::int64_t sample) {
    std::uint64_t c[4] = {static_cast<std::uint64_t>(unit / 8), static_cast<std::uint64_t>(sample), mask.epoch,
                          static_cast<std::uint32_t>(Purpose::dropout) | mask.layer << 8};
    philox(c, mask.seed);
    const Index place = unit % 8;
    const auto bits = c[place / 2] >> (place % 2 ? 16 : 0) & 0xffff;
    return bits < mask.threshold ? T(0) : x * static_cast<T>(65536.0 / (65536.0 - mask.threshold));
}

template <class T>
void test_dropout(const char* set, const Kernels<T>& k) {
    const DropoutMask mask(0x123456789abcdef, 7, 3, 0.3);
    std::vector<std::int64_t> samples;
    for (Index r = 0; r < kMaxTileRows + 1; r++) samples.push_back(r * 0x30000001);
    for (const Index columns : {k.lanes, 2 * k.lanes, 3 * k.lanes, Index{512}})
        for (const Index first_unit : {Index{0}, k.lanes, 3 * k.lanes, Index{1} << 20})
            for (const int rows : {1, 3, kMaxTileRows, kMaxTileRows + 1}) {
                const Index ld = columns + k.lanes;
                Guarded<T> y((rows - 1) * ld + columns, true), derivative((rows - 1) * ld + columns, false);
                std::vector<T> y_before(y.data(), y.data() + y.size());
                std::vector<T> derivative_before(derivative.data(), derivative.data() + derivative.size());
                const bool with_derivative = rows != 3;
                k.dropout(y.data(), with_derivative ? derivative.data() : nullptr, rows, columns, ld, first_unit, mask,
                          samples.data());
                for (Index at = 0; at < y.size(); at++) {
                    const Index r = at / ld, j = at % ld;
                    const auto expected = [&](T x) {
                        return j < columns ? dropped(x, mask, first_unit + j, samples[r]) : x;
                    };
                    check(y[at] == expected(y_before[at]), set, "dropout", columns, first_unit, at);
                    check(derivative[at] == (with_derivative ? expected(derivative_before[at]) : derivative_before[at]),
                          set, "dropout of derivatives", columns, first_unit, at);
                }
            }
}

// The answers published with Philox (Random123's kat_vectors).
void test_philox() {
    const std::uint64_t ones = 0xffffffff;
    const struct {
        std::uint64_t address[4], key, block[4];
    } known[] = {
        {{0, 0, 0, 0}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{ones, ones, ones, ones}, ~std::uint64_t{0}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         0x299f31d0a4093822,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (const auto& k : known) {
        std::uint64_t c[4];
        for (int i = 0; i < 4; i++) c[i] = k.address[i] | std::uint64_t{0xabcdef} << 32;  // high halves do not matter
        philox(c, k.key);
        for (int i = 0; i < 4; i++) check((c[i] & ones) == k.block[i], "philox", "word", i, 0, 0);
    }
}

template <class T>
void test_random_bits(const char* set, const Kernels<T>& k) {
    const std::uint64_t seed = 0x0123456789abcdef, first = 0xfffffff7;  // positions of more than 32 bits among them
    const std::uint32_t index = 7, purpose = 2, words = 0xffffffff;
    for (Index n : {16, 64}) {
        Guarded<std::uint64_t> out(n, true);
        k.random_bits(out.data(), n, first, index, purpose, seed);
        for (Index i = 0; i < n; i += 2) {
            const std::uint64_t position = first + static_cast<std::uint64_t>(i / 2);
            std::uint64_t c[4] = {position, position >> 32, index, purpose};
            philox(c, seed);
            check(out[i] == ((c[2] & words) | c[3] << 32), set, "random bits, upper half", n, i, 0);
            check(out[i + 1] == ((c[0] & words) | c[1] << 32), set, "random bits, lower half", n, i, 0);
        }
    }
}

// A step leaves what would not be finite as it was, and says so.
template <class T>
void test_updates(const char* set, const Kernels<T>& k) {
    const Index n = 4 * k.lanes;
    for (Index i = 0; i < k.n_optimizers; i++) {
        const auto& o = k.optimizers[i];
        double hyper[kMaxHyper];
        for (Index h = 0; h < kMaxHyper; h++) hyper[h] = o.hyper[h].value;
        Guarded<T> w(n, true), g(n, true), s1(n, true), s2(n, true);
        for (Index j = 0; j < n; j++) s1[j] = s2[j] = T(0.25);
        Step<T> step{};
        o.coefficients(hyper, 0.1, 1, step.c);
        check(o.update(w.data(), g.data(), s1.data(), s2.data(), n, step), set, o.name, 0, 0, 0);
        for (Index bad = 0; bad < n; bad++) {
            const T kept = w[bad], kept1 = s1[bad], g_before = g[bad];
            g[bad] = bad % 2 ? T(NAN) : T(INFINITY);
            check(!o.update(w.data(), g.data(), s1.data(), s2.data(), n, step), set, o.name, 1, bad, 0);
            check(w[bad] == kept && s1[bad] == kept1, set, o.name, 2, bad, 0);
            for (Index j = 0; j < n; j++) check(std::isfinite(w[j]), set, o.name, 3, bad, j);
            g[bad] = g_before;
        }
    }
}

// A column that is too long is cut, and its neighbours keep their bits, denormal numbers too, in training.
template <class T>
void test_limits(const char* set, const Kernels<T>& k) {
    const DenormalsAreZero flush;
    const Index columns = 2 * k.lanes;
    const T small = std::numeric_limits<T>::denorm_min();
    for (Index at = 0; at < columns; at++)
        for (const T size : {T(1), std::numeric_limits<T>::max() / 4}) {
            std::vector<T> w(static_cast<std::size_t>(2 * columns), small);
            w[at] = 3 * size, w[columns + at] = 0;
            k.limit_columns(w.data(), 2, columns, T(0.5));
            check(std::abs(w[at] - T(0.5)) < T(1e-6), set, "limit columns", at, 0, 0);
            for (Index i = 0; i < 2 * columns; i++)
                check(i % columns == at || std::memcmp(&w[i], &small, sizeof small) == 0, set, "limit columns", at, i,
                      1);
        }
}

template <class T>
void test_all(const char* set, const Kernels<T>& k) {
    test_tiles(set, k);
    test_row(set, k);
    test_moves(set, k);
    test_conversions(set, k);
    test_rows(set, k);
    test_dropout(set, k);
    test_random_bits(set, k);
    test_updates(set, k);
    test_limits(set, k);
}

}  // namespace

int main() {
    test_philox();
    auto sets = available_instruction_sets();
#if defined(FOXNN_X86)
    if (__builtin_cpu_supports("avx2")) sets.push_back(wide_kernels());
#endif
    for (const auto& set : sets) {
        test_all(set.name, *set.f32);
        test_all(set.name, *set.f64);
        std::printf("%s: %s\n", set.name, failures ? "failed" : "passed");
    }
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
