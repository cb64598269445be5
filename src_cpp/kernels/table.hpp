// The table of kernels: what an instruction set offers to the core. Plain function pointers and numbers, so that
// this header can be included anywhere; the kernels themselves are compiled once per instruction set.
//
// Terms: a *vector* is `lanes` numbers; a *panel* is a column block of a matrix, at most two vectors wide, stored
// row after row without gaps; a *tile* is the part of a product that is kept in registers.
#pragma once
#include <cstddef>
#include <cstdint>

namespace foxnn {

using Index = std::ptrdiff_t;

constexpr int kMaxTileRows = 16;
constexpr int kMaxPanelVectors = 2;
constexpr int kMaxParameters = 2;                           // of an activation or a loss
constexpr int kMaxHyper = 4;                                // of an optimizer, learning rate excluded
constexpr int kMaxCoefficients = 8;                         // what one optimizer step needs of them
constexpr const char* kLabelSmoothing = "label_smoothing";  // a parameter that several losses have

struct Setting {
    const char* name;
    double value;        // the default
    double least, most;  // least <= value < most,
    bool open = false;   // or least < value < most
};

// What a function's values may be: least <= value <= most.
struct Bounds {
    double least = -__builtin_inf(), most = __builtin_inf();
};

// The initializer that suits an activation, and is the default for layers that have it.
enum class DefaultInit { glorot, he, he_fan_max, lecun };

template <class T>
struct Activation {
    const char* name;
    Index n_parameters;
    Setting parameters[kMaxParameters];
    DefaultInit init;
    bool rowwise;  // needs a whole row at a time (softmax), so it can only be the output
    bool flat;     // its derivative is 0 everywhere: nothing below it learns
    Bounds (*bounds)(const double* parameters);
    // True if the derivative can be had from the output alone; if not, forward() writes it into `derivative`.
    bool derivative_from_output;
    // y (rows, columns), stride ld: z comes in, f(z) goes out; `derivative` (same shape and stride) may be null. Rows
    // are padded: up to the next multiple of `lanes` their columns may be read and written.
    void (*forward)(T* y, T* derivative, Index rows, Index columns, Index ld, const T* parameters);
    // If rowwise: the same for y (columns, 2 lanes), the transpose of that many rows; columns <= 16. Null if not.
    void (*forward_columns)(T* y, Index columns);
    // d *= f'(z) if derivative_from_output, else null: multiply by the derivative that forward() left.
    void (*backward)(T* d, const T* y, Index rows, Index columns, Index ld, const T* parameters);
};

// What the targets of a loss are: any numbers (no classes); for each output, whether it is so, 0 or 1; one class out of
// all outputs, or a probability for each of them.
enum class Classes { none, two_each, one_of_all };

template <class T>
struct Loss {
    const char* name;
    Index n_parameters;
    Setting parameters[kMaxParameters];
    // Non-null: the loss works on the logits of this output activation, computed together with it.
    const char* from_logits_of;
    Classes classes;  // unless there are none, an accuracy is counted
    // Rows of y (outputs, or logits) and t (targets), (rows, n), strides ld_y and ld_t, padded to `lanes`; weight
    // (rows,). Writes d (rows, n), stride ld_y: weight times the gradient, zero in the padding; and loss (rows,):
    // unweighted, per sample.
    void (*rows)(const T* y, const T* t, const T* weight, T* d, T* loss, Index rows, Index n, Index ld_y, Index ld_t,
                 const T* parameters);
};

// What an optimizer's update needs to know of a step: what to do to gradients g first, and its own coefficients.
template <class T>
struct Step {
    T l1 = 0, l2 = 0;  // g += l1 sign(w) + l2 w
    T scale = 1;       // then g *= scale
    T clip = 0;        // then g is limited to [-clip, clip]; 0: it is not
    T c[kMaxCoefficients] = {};

    bool changes_gradients() const { return l1 != 0 || l2 != 0 || scale != 1 || clip != 0; }
};

template <class T>
struct Optimizer {
    const char* name;
    double learning_rate;  // the default
    Index n_hyper;
    Setting hyper[kMaxHyper];
    Index n_state;    // how many arrays of the parameters' size it keeps
    Index n_squares;  // how many of these, the last ones, hold averages of squares, which are never negative
    // Coefficients of step number t = 1, 2, ...
    void (*coefficients)(const double* hyper, double learning_rate, double t, T* c);
    // One step on n parameters (a multiple of `lanes`) with gradient g. A parameter whose new value would not
    // be finite keeps its old value and state. Returns whether all new values were finite.
    bool (*update)(T* w, const T* g, T* s1, T* s2, Index n, const Step<T>& step);
};

// Which units a training step drops: those whose 16 random bits are below `threshold`, the rate times 65536.
struct DropoutMask {
    std::uint64_t seed;
    std::uint32_t epoch, layer;
    std::uint32_t threshold;

    DropoutMask(std::uint64_t seed, std::uint32_t epoch, std::uint32_t layer, double rate)
        : seed(seed), epoch(epoch), layer(layer), threshold(static_cast<std::uint32_t>(rate * 65536 + 0.5)) {}
};
constexpr std::uint32_t kInputs = 0xffffff;  // in place of a layer's number

template <class T>
struct Kernels {
    Index lanes;
    Index tile_rows[kMaxPanelVectors + 1];  // rows of the tallest tile, by the panel's width in vectors

    // c (rows, vectors * lanes), stride ldc = init + a b, the inner dimension k >= 1 summed in order, one product
    // after another into one accumulator. b (k, vectors * lanes), stride ldb. init as c, stride ldi (0: one row for
    // all), or null: zero; it may be c.
    using Tile = void (*)(Index k, const T* a, Index lda, const T* b, Index ldb, const T* init, Index ldi, T* c,
                          Index ldc);
    // tile[vectors][rows]: a (rows, k), stride lda, as in the forward pass.
    Tile tile[kMaxPanelVectors + 1][kMaxTileRows + 1];
    // tile_at[vectors][rows]: a is transposed: (k, rows), stride lda, as in the weights' gradient.
    Tile tile_at[kMaxPanelVectors + 1][kMaxTileRows + 1];
    // One row times several panels of two vectors each: c (panels * 2 * lanes,) = init + a b; b's panels are k * 2 *
    // lanes apart. The same sums as tile[2][1] panel by panel, but streaming several panels at once.
    void (*row)(Index k, const T* a, const T* b, Index panels, const T* init, T* c);

    // out (rows, columns) without gaps = in (rows, columns), stride ldi; columns a multiple of lanes.
    void (*pack)(const T* in, Index rows, Index columns, Index ldi, T* out);
    // Cuts in (rows, columns), stride ldi, into tiles of tile_rows[2] columns, the last one perhaps of fewer: out holds
    // one after another, `stride` numbers apart, each (rows, tile_rows[2]) without gaps.
    void (*pack_tiles)(const T* in, Index rows, Index columns, Index ldi, T* out, Index stride);
    // out (columns, rows), stride ldo = transpose of in (rows, columns), stride ldi.
    void (*transpose)(const T* in, Index rows, Index columns, Index ldi, T* out, Index ldo);
    // out (columns,) = sum over rows, in order, of in (rows, columns), stride ld; columns a multiple of lanes. With
    // `add` the sum goes on from what is in out.
    void (*column_sums)(const T* in, Index rows, Index columns, Index ld, bool add, T* out);
    // out (n,) = in * scale + offset.
    void (*convert_u8)(const std::uint8_t* in, Index n, T scale, T offset, T* out);
    void (*convert_f32)(const float* in, Index n, T scale, T offset, T* out);
    void (*convert_f64)(const double* in, Index n, T scale, T offset, T* out);
    // out (n,) = (in * scale + offset - shift) * factor, computed in double precision; shift and factor (n,).
    void (*scale_u8)(const std::uint8_t* in, Index n, double scale, double offset, const double* shift,
                     const double* factor, T* out);
    void (*scale_f32)(const float* in, Index n, double scale, double offset, const double* shift, const double* factor,
                      T* out);
    void (*scale_f64)(const double* in, Index n, double scale, double offset, const double* shift, const double* factor,
                      T* out);
    // d (rows, columns) *= s, both of stride ld.
    void (*multiply)(T* d, const T* s, Index rows, Index columns, Index ld);
    // Normalisation (normalisation.hpp); columns multiples of lanes, arrays of a number a column padded likewise.
    // The mean and the (biased) variance of z's columns.
    void (*column_moments)(const T* z, Index rows, Index columns, Index ld, T* mean, T* variance);
    // z <- (z - mean) inverse, y = gamma z + beta.
    void (*normalise_columns)(T* z, T* y, Index rows, Index columns, Index ld, const T* mean, const T* inverse,
                              const T* gamma, const T* beta);
    // d_gamma = sum over rows of d normal, d_beta = that of d. With `add` the sums go on from what is in them, with the
    // bits of one call if the rows before were a multiple of 128.
    void (*norm_parameter_gradients)(const T* d, const T* normal, Index rows, Index columns, Index ld, bool add,
                                     T* d_gamma, T* d_beta);
    // d <- gamma inverse (d - share (d_beta + normal d_gamma)), share being 1 / rows, or 0 for moments not of the
    // batch.
    void (*batch_norm_gradient)(T* d, const T* normal, Index rows, Index columns, Index ld, const T* gamma,
                                const T* inverse, const T* d_gamma, const T* d_beta, T share);
    // z (rows, n) <- (z - mean of the row) inverse, y = gamma z + beta, and inverse (rows,); if inverse is null, z
    // stays as it is, and may be y.
    void (*normalise_rows)(T* z, T* y, Index rows, Index n, Index ld, T epsilon, const T* gamma, const T* beta,
                           T* inverse);
    // d (rows, n) <- inverse (g - mean of g - normal mean of g normal), g = gamma d, means over the row.
    void (*layer_norm_gradient)(T* d, const T* normal, Index rows, Index n, Index ld, const T* gamma, const T* inverse);
    // g (n,) += l1 sign(w) + l2 w; n a multiple of lanes.
    void (*penalise)(T* g, const T* w, Index n, T l1, T l2);
    // out (columns,) = sum over rows, in order, of the squares of g (rows, columns); columns a multiple of lanes.
    void (*column_squares)(const T* g, Index rows, Index columns, double* out);
    // w (rows, columns): columns whose Euclidean norm is more than `most` are scaled down to it.
    void (*limit_columns)(T* w, Index rows, Index columns, T most);
    // x (n,) += normal noise of that standard deviation, of one sample in one epoch.
    void (*add_noise)(T* x, Index n, T deviation, std::uint64_t seed, std::uint32_t epoch, std::uint32_t sample);
    // y and derivative (rows, columns), stride ld, of the units from first_unit on: zero where dropped, else scaled up.
    // columns a multiple of lanes; derivative may be null. samples (rows,): the number of each row's sample, part of
    // its address in the random numbers.
    void (*dropout)(T* y, T* derivative, Index rows, Index columns, Index ld, Index first_unit, const DropoutMask& mask,
                    const std::int64_t* samples);
    bool (*all_finite)(const T* x, Index n);
    // out (n,), n a multiple of 16: two random numbers from each block of Philox, its upper half first. A block's
    // address is (position, index, purpose); that of the first one has the position given.
    void (*random_bits)(std::uint64_t* out, Index n, std::uint64_t position, std::uint32_t index, std::uint32_t purpose,
                        std::uint64_t seed);

    Index n_activations, n_losses, n_optimizers;
    const Activation<T>* activations;
    const Loss<T>* losses;
    const Optimizer<T>* optimizers;
};

struct InstructionSet {
    const char* name;  // "avx512", "avx2", "neon", "baseline"
    bool fused;        // multiply-adds round once: these sets agree with one another bit by bit
    const Kernels<float>* f32;
    const Kernels<double>* f64;
};

}  // namespace foxnn
