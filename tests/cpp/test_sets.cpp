// Every kernel has the same bits on every instruction set with fused multiply-adds, whatever the bits of the numbers it
// gets: tiny ones, denormal ones, infinity and NaN (one NaN is as good as another) among them, with denormal numbers
// counted as zeros, as in training, and without.
//
//     test_sets set_bits.txt           a few draws of numbers against checksums in a file, and sets with each other
//     test_sets set_bits.txt 20000     the latter for so many draws, of more than 1,000 numbers for each kernel
//     test_sets > set_bits.txt         writes the file anew, after a change that is meant to change results
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <memory>

#include "checksum.hpp"
#include "core/denormals.hpp"
#include "kernels/dispatch.hpp"

using namespace foxnn;

namespace {

constexpr int kSkipped = 77;      // what ctest is told of sets without fused multiply-adds
constexpr int kDrawsInFile = 8;   // draws whose checksums are in the file
constexpr int kDrawsOfSets = 60;  // draws on which sets are compared, unless told otherwise
constexpr Index kRows = 19;       // blocks of as many rows as a vector has lanes, and a rest
constexpr Index kColumns = 64;    // whole vectors and pairs of them on every set

// Splitmix64 (Steele et al. 2014): the same numbers for a draw and a name, whoever asks.
class Random {
  public:
    Random(int draw, const std::string& name) : state_(static_cast<std::uint64_t>(draw) << 32) {
        for (const char c : name) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    }
    std::uint64_t bits() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
    }
    Index below(Index n) { return static_cast<Index>(bits() % static_cast<std::uint64_t>(n)); }

  private:
    std::uint64_t state_;
};

template <class T>
using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
T number(Word<T> exponent, Word<T> bits) {
    constexpr int mantissa = std::numeric_limits<T>::digits - 1;
    bits = (bits & ~(~Word<T>{0} >> 1)) | exponent << mantissa | (bits & ((Word<T>{1} << mantissa) - 1));
    T x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

// Of one kind in an array: any bits at all, tiny numbers, everyday ones, or some of each.
template <class T>
std::vector<T> numbers(Random& random, Index n) {
    constexpr Word<T> top = 2 * std::numeric_limits<T>::max_exponent - 1, one = top / 2;
    const Index kind = random.below(5);
    std::vector<T> x(static_cast<std::size_t>(n));
    for (T& v : x) {
        auto bits = static_cast<Word<T>>(random.bits());
        const auto mantissa = random.below(8);  // all zeros or all ones at times: where rounding is on the edge
        if (mantissa == 0) bits &= ~(~Word<T>{0} >> 1);
        if (mantissa == 1) bits |= ~Word<T>{0} >> 1;
        const auto drawn = [&](Index most) { return static_cast<Word<T>>(random.below(most)); };
        switch (kind == 4 ? random.below(4) : kind) {
            case 0:
                v = number<T>(drawn(top + 1), bits);
                break;
            case 1:
                v = number<T>(drawn(3 * std::numeric_limits<T>::digits), bits);
                break;  // up to 2^-54 in float32
            case 2:
                v = number<T>(one - 8 + drawn(12), bits);
                break;
            default:
                v = random.below(3) ? T(0) : number<T>(one - drawn(one), bits);  // zeros among all that is below 1
        }
    }
    return x;
}

// Rows of n numbers, with zeros as padding.
template <class T>
std::vector<T> rows_of(Random& random, Index n) {
    std::vector<T> x = numbers<T>(random, kRows * kColumns);
    for (Index r = 0; r < kRows; r++) std::fill(x.begin() + r * kColumns + n, x.begin() + (r + 1) * kColumns, T(0));
    return x;
}

template <class T>
class Sums {
  public:
    explicit Sums(std::map<std::string, Checksum>& sums, const char* type) : sums_(sums), type_(type) {}
    void add(const std::string& name, const T* x, Index n) {
        Checksum& sum = sums_[type_ + (" " + name)];
        for (Index i = 0; i < n; i++) {
            const T v = x[i] == x[i] ? x[i] : std::numeric_limits<T>::quiet_NaN();
            sum.add(&v, sizeof v);
        }
    }
    void add(const std::string& name, const std::vector<T>& x) { add(name, x.data(), static_cast<Index>(x.size())); }
    void add_rows(const std::string& name, const std::vector<T>& x, Index n) {
        for (Index r = 0; r < kRows; r++) add(name, x.data() + r * kColumns, n);
    }

  private:
    std::map<std::string, Checksum>& sums_;
    std::string type_;
};

template <class T>
void add_products(const Kernels<T>& k, int draw, Sums<T>& sums) {
    Random random(draw, "products");
    const Index depth = 1 + random.below(40);
    const auto a = numbers<T>(random, kRows * depth), b = numbers<T>(random, depth * kColumns);
    const auto init = numbers<T>(random, kColumns);
    for (int vectors = 1; vectors <= kMaxPanelVectors; vectors++)
        for (const bool transposed : {false, true}) {
            std::vector<T> c(static_cast<std::size_t>(kRows * kColumns));
            for (Index r = 0; r < kRows;) {
                const Index rows = std::min(kRows - r, k.tile_rows[vectors]);
                for (Index at = 0; at < kColumns; at += vectors * k.lanes) {
                    const auto tile = (transposed ? k.tile_at : k.tile)[vectors][rows];
                    const T* const first = transposed ? a.data() + r : a.data() + r * depth;
                    tile(depth, first, transposed ? kRows : depth, b.data() + at, kColumns, init.data() + at, 0,
                         c.data() + r * kColumns + at, kColumns);
                }
                r += rows;
            }
            sums.add(transposed ? "transposed product" : "product", c);
        }
    const Index width = 2 * k.lanes;
    std::vector<T> packed(b.size()), c(static_cast<std::size_t>(kColumns));
    for (Index at = 0; at < kColumns; at += width)
        k.pack(b.data() + at, depth, width, kColumns, packed.data() + at * depth);
    k.row(depth, a.data(), packed.data(), kColumns / width, init.data(), c.data());
    sums.add("product of a row", c);
    k.column_sums(b.data(), depth, kColumns, kColumns, false, c.data());
    sums.add("column sums", c);
}

template <class T>
void add_activations(const Kernels<T>& k, int draw, Sums<T>& sums) {
    for (Index i = 0; i < k.n_activations; i++) {
        const Activation<T>& activation = k.activations[i];
        const std::string name = activation.name;
        Random random(draw, name);
        const Index n = activation.rowwise ? 1 + random.below(kColumns) : kColumns;
        std::vector<T> y = rows_of<T>(random, n), derivative(y.size()), d = rows_of<T>(random, n);
        if (name == "sin" || name == "cos")  // large angles are left to the C library
            for (T& x : y) x = std::abs(x) < 8000 ? x : T(1);
        const T parameters[kMaxParameters] = {std::abs(numbers<T>(random, 1)[0])};
        std::vector<T> columns(static_cast<std::size_t>(kColumns * 2 * k.lanes));
        constexpr Index few = 32 / sizeof(T);  // as many rows as every set does at once
        for (Index c = 0; c < kColumns; c++)
            for (Index r = 0; r < few; r++) columns[c * 2 * k.lanes + r] = y[r * kColumns + c];
        activation.forward(y.data(), activation.derivative_from_output ? nullptr : derivative.data(), kRows, n,
                           kColumns, parameters);
        sums.add_rows(name, y, n);
        sums.add_rows(name, derivative, n);
        if (activation.backward) {
            activation.backward(d.data(), y.data(), kRows, n, kColumns, parameters);
            sums.add_rows(name, d, n);
        }
        if (activation.forward_columns && n <= 16) {
            activation.forward_columns(columns.data(), n);
            for (Index c = 0; c < n; c++) sums.add(name, columns.data() + c * 2 * k.lanes, few);
        }
    }
}

template <class T>
void add_losses(const Kernels<T>& k, int draw, Sums<T>& sums) {
    for (Index i = 0; i < k.n_losses; i++) {
        const Loss<T>& loss = k.losses[i];
        const std::string name = loss.name + std::string(loss.from_logits_of ? " of logits" : "");
        Random random(draw, name);
        const Index n = 1 + random.below(kColumns);
        const auto y = rows_of<T>(random, n), t = rows_of<T>(random, n), weight = numbers<T>(random, kRows);
        const T parameters[kMaxParameters] = {std::abs(numbers<T>(random, 1)[0])};
        std::vector<T> d(y.size()), losses(static_cast<std::size_t>(kRows));
        loss.rows(y.data(), t.data(), weight.data(), d.data(), losses.data(), kRows, n, kColumns, kColumns, parameters);
        sums.add_rows(name, d, n);
        sums.add(name, losses);
    }
}

template <class T>
void add_optimizers(const Kernels<T>& k, int draw, Sums<T>& sums) {
    for (Index i = 0; i < k.n_optimizers; i++) {
        const Optimizer<T>& optimizer = k.optimizers[i];
        Random random(draw, optimizer.name);
        double hyper[kMaxHyper];
        for (Index h = 0; h < kMaxHyper; h++) {
            hyper[h] = optimizer.hyper[h].value;
            if (hyper[h] < 1e-6 && random.below(2)) hyper[h] = std::abs(numbers<float>(random, 1)[0]);  // epsilon
        }
        const Index n = kRows * kColumns;
        std::vector<T> w = numbers<T>(random, n), s1 = numbers<T>(random, n), s2 = numbers<T>(random, n);
        for (T& square : s2) square = std::abs(square);
        if (optimizer.n_state == 1 && random.below(2)) s1 = s2;
        for (int number = 0; number < 3; number++) {
            const auto g = numbers<T>(random, n), settings = numbers<T>(random, 4);
            Step<T> step;
            optimizer.coefficients(hyper, optimizer.learning_rate, 1 + static_cast<double>(random.below(100)), step.c);
            if (number == 1)
                step.l1 = settings[0], step.l2 = settings[1], step.scale = settings[2],
                step.clip = std::abs(settings[3]);
            const T all_finite = optimizer.update(w.data(), g.data(), s1.data(), s2.data(), n, step);
            sums.add(optimizer.name, &all_finite, 1);
            sums.add(optimizer.name, w);
            sums.add(optimizer.name, s1);
            sums.add(optimizer.name, s2);
        }
    }
}

template <class T>
void add_normalisation(const Kernels<T>& k, int draw, Sums<T>& sums) {
    Random random(draw, "normalisation");
    std::vector<T> z = rows_of<T>(random, kColumns), y(z.size()), d = rows_of<T>(random, kColumns);
    std::vector<T> mean(static_cast<std::size_t>(kColumns)), variance = mean, d_gamma = mean, d_beta = mean;
    auto gamma = numbers<T>(random, kColumns), beta = numbers<T>(random, kColumns);
    const auto inverse = numbers<T>(random, kColumns);
    k.column_moments(z.data(), kRows, kColumns, kColumns, mean.data(), variance.data());
    sums.add("moments", mean);
    sums.add("moments", variance);
    k.normalise_columns(z.data(), y.data(), kRows, kColumns, kColumns, mean.data(), inverse.data(), gamma.data(),
                        beta.data());
    sums.add("normalised columns", z);
    sums.add("normalised columns", y);
    k.norm_parameter_gradients(d.data(), z.data(), kRows, kColumns, kColumns, false, d_gamma.data(), d_beta.data());
    sums.add("gradients of normalisation", d_gamma);
    sums.add("gradients of normalisation", d_beta);
    k.batch_norm_gradient(d.data(), z.data(), kRows, kColumns, kColumns, gamma.data(), inverse.data(), d_gamma.data(),
                          d_beta.data(), T(1) / kRows);
    sums.add("gradients of normalisation", d);

    const Index n = 1 + random.below(kColumns);
    z = rows_of<T>(random, n), d = rows_of<T>(random, n);
    std::fill(gamma.begin() + n, gamma.end(), T(0)), std::fill(beta.begin() + n, beta.end(), T(0));
    std::vector<T> inverses(static_cast<std::size_t>(kRows));
    k.normalise_rows(z.data(), y.data(), kRows, n, kColumns, std::abs(numbers<T>(random, 1)[0]), gamma.data(),
                     beta.data(), inverses.data());
    sums.add_rows("normalised rows", z, n);
    sums.add_rows("normalised rows", y, n);
    sums.add("normalised rows", inverses);
    k.layer_norm_gradient(d.data(), z.data(), kRows, n, kColumns, gamma.data(), inverses.data());
    sums.add_rows("normalised rows", d, n);
}

template <class T>
void add_the_rest(const Kernels<T>& k, int draw, Sums<T>& sums) {
    Random random(draw, "the rest");
    const Index n = kRows * kColumns;
    const auto settings = numbers<T>(random, 4);
    std::vector<T> x = numbers<T>(random, n), y = numbers<T>(random, n);
    k.multiply(x.data(), y.data(), kRows, kColumns, kColumns);
    sums.add("multiply", x);
    x = numbers<T>(random, n);
    k.penalise(y.data(), x.data(), n, settings[0], settings[1]);
    sums.add("penalise", y);
    double squares[kColumns];
    k.column_squares(x.data(), kRows, kColumns, squares);
    for (const double square : squares) {
        const T rounded = static_cast<T>(square);
        sums.add("column squares", &rounded, 1);
    }
    k.limit_columns(x.data(), kRows, kColumns, std::abs(settings[2]));
    sums.add("limit columns", x);
    const T finite = k.all_finite(y.data(), n);
    sums.add("all finite", &finite, 1);

    x = numbers<T>(random, n);
    for (Index r = 0; r < kRows; r++)
        k.add_noise(x.data() + r * kColumns, kColumns - r, settings[3], random.bits(), 1,
                    static_cast<std::uint32_t>(r));
    sums.add("noise", x);
    std::int64_t samples[kRows];
    for (std::int64_t& sample : samples) sample = static_cast<std::int64_t>(random.bits() >> 1);
    y = numbers<T>(random, n);
    const DropoutMask mask(random.bits(), 3, 1, 0.3);
    k.dropout(x.data(), y.data(), kRows, kColumns, kColumns, 8 * random.below(100), mask, samples);
    sums.add("dropout", x);
    sums.add("dropout", y);

    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(n));
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.bits());
    const auto floats = numbers<float>(random, n);
    const auto doubles = numbers<double>(random, n), shift = numbers<double>(random, n),
               factor = numbers<double>(random, n);
    k.convert_u8(bytes.data(), n, settings[0], settings[1], x.data());
    sums.add("conversion", x);
    k.convert_f32(floats.data(), n, settings[0], settings[1], x.data());
    sums.add("conversion", x);
    k.convert_f64(doubles.data(), n, settings[0], settings[1], x.data());
    sums.add("conversion", x);
    const double scale = doubles[0], offset = doubles[1];
    k.scale_u8(bytes.data(), n, scale, offset, shift.data(), factor.data(), x.data());
    sums.add("scaling", x);
    k.scale_f32(floats.data(), n, scale, offset, shift.data(), factor.data(), x.data());
    sums.add("scaling", x);
    k.scale_f64(doubles.data(), n, scale, offset, shift.data(), factor.data(), x.data());
    sums.add("scaling", x);
}

template <class T>
void add_all(const Kernels<T>& k, int draw, const char* type, std::map<std::string, Checksum>& sums) {
    Sums<T> of_type(sums, type);
    add_products(k, draw, of_type);
    add_activations(k, draw, of_type);
    add_losses(k, draw, of_type);
    add_optimizers(k, draw, of_type);
    add_normalisation(k, draw, of_type);
    add_the_rest(k, draw, of_type);
}

// What a set makes of some draws: a checksum for each kernel.
std::map<std::string, Checksum> checksums(const InstructionSet& set, int begin, int end, bool flush) {
    std::map<std::string, Checksum> sums;
    const auto zeros = flush ? std::make_unique<DenormalsAreZero>() : nullptr;
    for (int draw = begin; draw < end; draw++) {
        add_all(*set.f32, draw, "float32", sums);
        add_all(*set.f64, draw, "float64", sums);
    }
    return sums;
}

std::vector<std::string> lines(const InstructionSet& set) {
    std::vector<std::string> all;
    for (const bool flush : {false, true})
        for (const auto& [name, sum] : checksums(set, 0, kDrawsInFile, flush))
            all.push_back((flush ? "flushed " : "kept ") + name + ": " + sum.text());
    return all;
}

// Arm's processors count a number as denormal before it is rounded, the others after.
bool comparable(const std::string& line) {
#if defined(__aarch64__)
    return line.rfind("kept", 0) == 0;
#else
    return !line.empty();
#endif
}

int differences_from_file(const InstructionSet& set, const char* path) {
    std::ifstream file(path);
    int different = 0;
    for (const std::string& found : lines(set)) {
        std::string expected;
        std::getline(file, expected);
        if (comparable(found) && found != expected)
            std::printf("%s: got %s in place of %s\n", set.name, found.c_str(), expected.c_str()), different++;
    }
    return different;
}

int differences_between(const InstructionSet& a, const InstructionSet& b, int draws) {
    int different = 0;
    for (int draw = 0; draw < draws && different < 20; draw++)
        for (const bool flush : {false, true}) {
            const auto of_a = checksums(a, draw, draw + 1, flush), of_b = checksums(b, draw, draw + 1, flush);
            for (const auto& [name, sum] : of_a)
                if (sum.text() != of_b.at(name).text())
                    std::printf("draw %d%s: %s has other bits on %s than on %s\n", draw, flush ? ", flushed" : "",
                                name.c_str(), a.name, b.name),
                        different++;
        }
    std::printf("%s and %s: %d draws compared\n", a.name, b.name, draws);
    return different;
}

}  // namespace

int main(int count, char** arguments) {
    std::vector<InstructionSet> sets;
    for (const InstructionSet& set : available_instruction_sets())
        if (set.fused) sets.push_back(set);
    if (sets.empty()) return std::puts("no set here has fused multiply-adds"), kSkipped;
    if (count < 2) {
        for (const std::string& line : lines(sets.back())) std::puts(line.c_str());
        return EXIT_SUCCESS;
    }
    const int draws = count > 2 ? std::atoi(arguments[2]) : kDrawsOfSets;
    int different = 0;
    for (const InstructionSet& set : sets) different += differences_from_file(set, arguments[1]);
    for (std::size_t i = 1; i < sets.size(); i++) different += differences_between(sets[0], sets[i], draws);
    std::printf("%d differences\n", different);
    return different ? EXIT_FAILURE : EXIT_SUCCESS;
}
