// How the products of a layer are cut into tiles and shared between workers. Every element is computed whole by one
// tile, in the order of the inner dimension, so the cut never shows in the result.
#pragma once
#include <algorithm>

#include "core/dense.hpp"
#include "core/team.hpp"

namespace foxnn {

// Into how many pieces a worker's share of `flops` of work is cut: several, so that others can do some of them if its
// core is slower or wanted elsewhere; but none so small that handing it out would be a good part of it.
inline Index pieces_each(const Worker& worker, double flops) {
    constexpr double worth_handing_out = 2.5e5, most = 16;
    return static_cast<Index>(std::clamp(flops / worker.count / worth_handing_out, 1.0, most));
}

// Calls part(panel, begin, end) for all that this worker does of a (rows, panels) result, an inner dimension of `inner`
// to be gone through for each element: rows [begin, end) of a panel.
template <class T, class Part>
void for_panels(const Worker& worker, Queue queue, Index rows, Index inner, const Panels<T>& panels, const Part& part) {
    if (worker.count == 1) {
        for (Index panel = 0; panel < panels.count; panel++) part(panel, Index(0), rows);
        return;
    }
    const double flops = 2.0 * static_cast<double>(rows * inner) * static_cast<double>(panels.padded_columns());
    const Index each = pieces_each(worker, flops), pieces = each * worker.count;
    // Where piece `i` begins: a panel and, in it, a row at a tile's edge.
    const auto cut = [&](Index i) {
        const Index position = panels.total_vectors() * rows * i / pieces;
        const Index panel = std::min(position / (2 * rows), panels.count - 1);
        const Index height = kernels<T>().tile_rows[panels.vectors(panel)];
        const Index row = (position - panel * 2 * rows) / panels.vectors(panel);
        return std::pair{panel, i == pieces ? rows : std::min(rows, (row + height / 2) / height * height)};
    };
    const auto do_piece = [&](Index i) {
        const auto [first, first_row] = cut(i);
        const auto [last, last_row] = cut(i + 1);
        for (Index panel = first; panel <= last; panel++) {
            const Index begin = panel == first ? first_row : 0, end = panel == last ? last_row : rows;
            if (begin < end) part(panel, begin, end);
        }
    };
    if (each == 1) return do_piece(worker.id);
    worker.share_out(queue, each, do_piece);
}

// Calls tile(row, n) for tiles of n rows that make up [begin, end), as many as need be and of nearly equal height: a
// tall tile is an efficient one.
template <class T, class Tile>
void for_tiles(Index begin, Index end, Index vectors, const Tile& tile) {
    const auto rows = static_cast<unsigned>(end - begin),
               height = static_cast<unsigned>(kernels<T>().tile_rows[vectors]);
    const unsigned count = (rows + height - 1) / height;
    if (count == 0) return;
    const unsigned low = rows / count, higher = rows % count;  // the first ones have a row more
    for (unsigned i = 0; i < count; i++) {
        const Index n = low + (i < higher);
        tile(begin, n);
        begin += n;
    }
}

// Fetches the lines that a tile will be written to, which other workers may hold, if the tile takes long enough.
template <class T>
void prefetch_result(Index inner, T* c, Index rows, Index ldc) {
    if (inner > 128)
        for (Index r = 0; r < rows; r++) __builtin_prefetch(c + r * ldc, 1);
}

// y (rows, n_out) = f(x W + b), columns of one panel. `slope` as in Activation::forward; activation skipped if it works
// on whole rows, or if `logits`.
template <class T>
void forward_tile(const Dense<T>& layer, Index panel, Index rows, const T* x, Index ldx, T* y, T* slope, Index ldy,
                  bool logits) {
    const Kernels<T>& k = kernels<T>();
    const Index vectors = layer.panels.vectors(panel), width = layer.panels.width_of(panel);
    const Index column = layer.panels.first_column(panel);
    prefetch_result(layer.n_in, y + column, rows, ldy);
    k.tile[vectors][rows](layer.n_in, x, ldx, layer.weights.data() + layer.panels.offset(panel), width,
                          layer.bias.data() + column, 0, y + column, ldy);
    if (!logits && !layer.activation->rowwise)
        layer.activation->forward(y + column, slope ? slope + column : nullptr, rows, width, ldy,
                                  layer.parameters.data());
}

// Layer normalisation of rows as they are.
template <class T>
void normalise_rows(const Dense<T>& layer, Index rows, T* y, Index ldy) {
    kernels<T>().normalise_rows(y, y, rows, layer.n_out, ldy, static_cast<T>(layer.norm.epsilon),
                                layer.norm.gamma.data(), layer.norm.beta.data(), nullptr);
}

// The rows [begin, end) of y = f(x W + b), all columns, whole rows' activations included.
template <class T>
void forward_rows(const Worker& worker, const Dense<T>& layer, Index begin, Index end, const T* x, Index ldx, T* y,
                  T* slope, Index ldy, bool logits) {
    if (begin == end) return;
    y += begin * ldy, x += begin * ldx;
    if (slope) slope += begin * ldy;
    const bool normed = layer.norm.kind == NormKind::layer;
    for (Index panel = 0; panel < layer.panels.count; panel++)
        for_tiles<T>(0, end - begin, layer.panels.vectors(panel), [&](Index row, Index n) {
            forward_tile(layer, panel, n, x + row * ldx, ldx, y + row * ldy, slope ? slope + row * ldy : nullptr, ldy,
                         logits || normed);
            worker.worked(layer.n_in);
        });
    if (normed) {
        normalise_rows(layer, end - begin, y, ldy);
        layer.activation->forward(y, slope, end - begin, layer.panels.padded_columns(), ldy, layer.parameters.data());
    }
    if (!logits && layer.activation->rowwise)
        layer.activation->forward(y, nullptr, end - begin, layer.n_out, ldy, layer.parameters.data());
}

}  // namespace foxnn
