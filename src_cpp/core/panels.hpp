// How the numbers of a matrix lie in memory for products: in panels, blocks of columns as wide as two vectors.
#pragma once
#include <algorithm>

#include "core/buffer.hpp"
#include "kernels/dispatch.hpp"

namespace foxnn {

// Panels of two vectors, the last one perhaps of one; each row by row. A vector of numbers is a matrix of one row.
template <class T>
struct Panels {
    Index rows = 0, columns = 0, count = 0, width = 0, last_vectors = 0;

    Panels() = default;
    Panels(Index rows, Index columns) : rows(rows), columns(columns) {
        const Index lanes = kernels<T>().lanes;
        width = 2 * lanes;
        count = (columns + width - 1) / width;
        last_vectors = columns - (count - 1) * width > lanes ? 2 : 1;
    }
    Index vectors(Index panel) const { return panel + 1 < count ? 2 : last_vectors; }
    Index width_of(Index panel) const { return vectors(panel) * width / 2; }
    Index total_vectors() const { return 2 * (count - 1) + last_vectors; }
    Index padded_columns() const { return total_vectors() * width / 2; }
    Index first_column(Index panel) const { return panel * width; }
    Index offset(Index panel) const { return panel * width * rows; }
    Index size() const { return padded_columns() * rows; }
    Index at(Index row, Index column) const {
        const Index panel = column / width;
        return offset(panel) + row * width_of(panel) + column % width;
    }
    // From panels to row-major (rows, columns), in any number type, and back. The padding stays as it is. With a watch
    // it may be interrupted, which throws.
    template <class U>
    void read(const T* panelled, U* out, Watch* watch = nullptr) const {
        for_runs([&](Index at, Index i, Index n) {
            for (Index j = 0; j < n; j++) out[i + j] = static_cast<U>(panelled[at + j]);
            if (watch) watch->worked(width);
        });
    }
    template <class U>
    void write(T* panelled, const U* in) const {
        for_runs([&](Index at, Index i, Index n) {
            for (Index j = 0; j < n; j++) panelled[at + j] = static_cast<T>(in[i + j]);
        });
    }

  private:
    // Calls run(at, i, n) for all runs of n numbers that lie at `at` in panels and at `i` row by row.
    template <class Run>
    void for_runs(const Run& run) const {
        for (Index p = 0; p < count; p++) {
            const Index first = first_column(p), n = std::min(columns - first, width);
            for (Index row = 0; row < rows; row++) run(offset(p) + row * width_of(p), row * columns + first, n);
        }
    }
};

// Numbers between the starts of rows of `columns`: padded to whole vectors, and an odd number of cache lines, so that
// a column's numbers do not all fall into the same few sets of the cache.
template <class T>
Index padded_stride(Index columns) {
    const Index lanes = kernels<T>().lanes, line = 64 / sizeof(T);
    const Index stride = (columns + 2 * lanes - 1) / lanes * lanes;  // a whole panel may be stored at the last column
    const Index lines = (stride + line - 1) / line;
    return (lines % 2 ? lines : lines + 1) * line;
}

}  // namespace foxnn
