// How matrix products are cut into tiles and shared between workers. Each element of a result belongs to one tile,
// which adds up its products in the order of the inner dimension: so results do not depend on how the work is cut.
#pragma once
#include <algorithm>

#include "core/panels.hpp"
#include "core/team.hpp"

namespace foxnn {

// Into how many pieces each worker's share of the work is cut. Several, so that other workers can take over some of
// them if its core is slower, or busy with something else; but not so many that handing them out would take much time
// itself.
inline Index pieces_each(const Worker& worker, double flops) {
    constexpr double worth_handing_out = 2.5e5, most = 16;
    return static_cast<Index>(std::clamp(flops / worker.count / worth_handing_out, 1.0, most));
}

// Shares a product of `rows` rows and the columns of `panels`, whose inner dimension is `inner`, between all workers:
// calls function(panel, begin, end) for those rows [begin, end) of a panel that this worker is to compute.
template <class T, class Function>
void for_panels(const Worker& worker, Queue queue, Index rows, Index inner, const Panels<T>& panels,
                const Function& function) {
    if (worker.count == 1) {
        for (Index panel = 0; panel < panels.count; panel++) function(panel, Index(0), rows);
        return;
    }
    const double flops = 2.0 * static_cast<double>(rows * inner) * static_cast<double>(panels.padded_columns());
    const Index each = pieces_each(worker, flops), pieces = each * worker.count;
    // Where piece `i` begins: a panel, and the row in it, which is the first of a tile.
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
            if (begin < end) function(panel, begin, end);
        }
    };
    if (each == 1) return do_piece(worker.id);
    worker.share_out(queue, each, do_piece);
}

// Cuts the rows [begin, end) into as few tiles as possible, of nearly equal height, since low tiles are less efficient;
// calls tile(row, n) for each, n rows from `row` on.
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

// Prefetches the cache lines that a tile will be written to, as they may be in another core's cache; if computing the
// tile takes long enough for that to pay.
template <class T>
void prefetch_result(Index inner, T* c, Index rows, Index ldc) {
    if (inner > 128)
        for (Index r = 0; r < rows; r++) __builtin_prefetch(c + r * ldc, 1);
}

}  // namespace foxnn
