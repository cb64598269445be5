// How the products of a layer are cut into tiles and shared between workers. Every element is computed whole by one
// tile, in the order of the inner dimension, so the cut never shows in the result.
#pragma once
#include <algorithm>

#include "core/dense.hpp"
#include "core/threads.hpp"

namespace foxnn {

// Calls tile(panel, row, n_rows) for this worker's share of the tiles of a (rows, panels) result, panel by panel.
template <class T, class Tile>
void for_tiles(const Worker& worker, Index rows, const Panels<T>& panels, const Tile& tile) {
    const Kernels<T>& k = kernels<T>();
    // Position number `part` of the cuts between workers: a panel and, in it, a row at a tile's edge.
    const auto cut = [&](Index part) {
        const Index position = panels.total_vectors() * rows * part / worker.count;
        const Index panel = std::min(position / (2 * rows), panels.count - 1);
        const Index height = k.tile_rows[panels.vectors(panel)];
        const Index row = (position - panel * 2 * rows) / panels.vectors(panel);
        return std::pair{panel, part == worker.count ? rows : std::min(rows, (row + height / 2) / height * height)};
    };
    const auto [first, first_row] = cut(worker.id);
    const auto [last, last_row] = cut(worker.id + 1);
    for (Index panel = first; panel <= last; panel++) {
        const Index begin = panel == first ? first_row : 0, end = panel == last ? last_row : rows;
        const Index height = k.tile_rows[panels.vectors(panel)];
        const Index blocks = (end - begin + height - 1) / height;
        for (Index b = 0; b < blocks; b++) {  // of nearly equal height: a tall tile is an efficient one
            const Index row = begin + (end - begin) * b / blocks, next = begin + (end - begin) * (b + 1) / blocks;
            tile(panel, row, next - row);
        }
    }
}

// y (rows, n_out) = f(x W + b), columns of one panel. `slope` as in Activation::forward; activation skipped if it works
// on whole rows, or if `logits`.
template <class T>
void forward_tile(const Dense<T>& layer, Index panel, Index rows, const T* x, Index ldx, T* y, T* slope, Index ldy,
                  bool logits) {
    const Kernels<T>& k = kernels<T>();
    const Index vectors = layer.panels.vectors(panel), width = layer.panels.width_of(panel);
    const Index column = layer.panels.first_column(panel);
    k.tile[vectors][rows](layer.n_in, x, ldx, layer.weights.data() + layer.panels.offset(panel), width,
                          layer.bias.data() + column, y + column, ldy);
    if (!logits && !layer.activation->rowwise)
        layer.activation->forward(y + column, slope ? slope + column : nullptr, rows, width, ldy,
                                  layer.parameters.data());
}

// The rows [begin, end) of y = f(x W + b), all columns, whole rows' activations included.
template <class T>
void forward_rows(const Dense<T>& layer, Index begin, Index end, const T* x, Index ldx, T* y, T* slope, Index ldy,
                  bool logits) {
    if (begin == end) return;
    y += begin * ldy, x += begin * ldx;
    if (slope) slope += begin * ldy;
    for_tiles<T>({0, 1, nullptr}, end - begin, layer.panels, [&](Index panel, Index row, Index n) {
        forward_tile(layer, panel, n, x + row * ldx, ldx, y + row * ldy, slope ? slope + row * ldy : nullptr, ldy,
                     logits);
    });
    if (!logits && layer.activation->rowwise)
        layer.activation->forward(y, nullptr, end - begin, layer.n_out, ldy, layer.parameters.data());
}

}  // namespace foxnn
