// Fills in the table of kernels for the instruction set this is compiled for. Each of the files named after a set is
// nothing but the vectors' width, the tile's shape and this header.
#pragma once
#include "kernels/activations.hpp"
#include "kernels/dropout.hpp"
#include "kernels/losses.hpp"
#include "kernels/noise.hpp"
#include "kernels/normalisation.hpp"
#include "kernels/optimizers.hpp"
#include "kernels/penalties.hpp"
#include "kernels/random_bits.hpp"
#include "kernels/rows.hpp"
#include "kernels/scaling.hpp"
#include "kernels/tile.hpp"

namespace foxnn {
namespace {

template <class A, class T>
constexpr Activation<T> activation_entry() {
    Activation<T> e{A::name, A::n_parameters, {},        A::init,
                    false,   A::flat,         A::bounds, DerivativeFromOutput<A, T>::value,
                    nullptr, nullptr,         nullptr};
    for (int i = 0; i < kMaxParameters; i++) e.parameters[i] = A::parameters[i];
    if constexpr (std::is_same_v<A, Softmax>)
        e.rowwise = e.derivative_from_output = true, e.forward = softmax_forward<T>,
        e.forward_columns = softmax_columns<T>, e.backward = softmax_backward<T>;
    else
        e.forward = activate<A, T>;
    if constexpr (DerivativeFromOutput<A, T>::value) e.backward = multiply_by_derivative<A, T>;
    return e;
}

template <class L, class T>
constexpr Loss<T> loss_entry() {
    Loss<T> e{L::name, L::n_parameters, {}, L::from_logits_of, L::classes, nullptr};
    for (int i = 0; i < kMaxParameters; i++) e.parameters[i] = L::parameters[i];
    if constexpr (std::is_same_v<L, SoftmaxCrossEntropy>)
        e.rows = softmax_cross_entropy_rows<T>;
    else
        e.rows = loss_rows<L, T>;
    return e;
}

template <class O, class T>
constexpr Optimizer<T> optimizer_entry() {
    Optimizer<T> e{O::name,     O::learning_rate, O::n_hyper, {}, O::n_state, O::n_squares, O::template coefficients<T>,
                   update<O, T>};
    for (int i = 0; i < kMaxHyper; i++) e.hyper[i] = O::hyper[i];
    return e;
}

template <class T, class... A>
const Activation<T>* activation_table(List<A...>) {
    static constexpr Activation<T> table[] = {activation_entry<A, T>()...};
    return table;
}
template <class T, class... L>
const Loss<T>* loss_table(List<L...>) {
    static constexpr Loss<T> table[] = {loss_entry<L, T>()...};
    return table;
}
template <class T, class... O>
const Optimizer<T>* optimizer_table(List<O...>) {
    static constexpr Optimizer<T> table[] = {optimizer_entry<O, T>()...};
    return table;
}
template <class... E>
constexpr Index size_of(List<E...>) {
    return sizeof...(E);
}

template <class T, int Vectors, bool AT, int Rows>
void fill_tiles(typename Kernels<T>::Tile* tiles) {
    tiles[Rows] = tile<T, Rows, Vectors, AT>;
    if constexpr (Rows > 1) fill_tiles<T, Vectors, AT, Rows - 1>(tiles);
}

static_assert(FOXNN_TILE_ROWS_1 % FOXNN_TILE_ROWS_2 == 0, "work is cut between tiles of pack_tiles() in any panel");

template <class T>
const Kernels<T>* build_table() {
    static Kernels<T> k;
    k.lanes = kLanes<T>;
    k.tile_rows[1] = FOXNN_TILE_ROWS_1;
    k.tile_rows[2] = FOXNN_TILE_ROWS_2;
    fill_tiles<T, 1, false, FOXNN_TILE_ROWS_1>(k.tile[1]);
    fill_tiles<T, 2, false, FOXNN_TILE_ROWS_2>(k.tile[2]);
    fill_tiles<T, 1, true, FOXNN_TILE_ROWS_1>(k.tile_at[1]);
    fill_tiles<T, 2, true, FOXNN_TILE_ROWS_2>(k.tile_at[2]);
    k.row = row<T>;
    k.pack = pack<T>;
    k.pack_tiles = pack_tiles<T>;
    k.transpose = transpose<T>;
    k.column_sums = column_sums<T>;
    k.convert_u8 = convert<std::uint8_t, T>;
    k.convert_f32 = convert<float, T>;
    k.convert_f64 = convert<double, T>;
    k.scale_u8 = scale<std::uint8_t, T>;
    k.scale_f32 = scale<float, T>;
    k.scale_f64 = scale<double, T>;
    k.multiply = multiply<T>;
    k.dropout = dropout<T>;
    k.add_noise = add_noise<T>;
    k.random_bits = random_bits;
    k.column_moments = column_moments<T>;
    k.normalise_columns = normalise_columns<T>;
    k.norm_parameter_gradients = norm_parameter_gradients<T>;
    k.batch_norm_gradient = batch_norm_gradient<T>;
    k.normalise_rows = normalise_rows<T>;
    k.layer_norm_gradient = layer_norm_gradient<T>;
    k.penalise = penalise<T>;
    k.column_squares = column_squares<T>;
    k.limit_columns = limit_columns<T>;
    k.all_finite = all_finite<T>;
    k.n_activations = size_of(Activations{});
    k.n_losses = size_of(Losses{});
    k.n_optimizers = size_of(Optimizers{});
    k.activations = activation_table<T>(Activations{});
    k.losses = loss_table<T>(Losses{});
    k.optimizers = optimizer_table<T>(Optimizers{});
    return &k;
}

}  // namespace
}  // namespace foxnn
