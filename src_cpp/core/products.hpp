// How the products of a layer are cut into tiles and shared between workers. Every element is computed whole by one
// tile, in the order of the inner dimension, so the cut never shows in the result.
#pragma once
#include <algorithm>

#include "core/panels.hpp"
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

}  // namespace foxnn
