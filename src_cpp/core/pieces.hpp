// All arrays that a step changes, cut into pieces for workers to share.
#pragma once
#include <vector>

#include "core/network.hpp"

namespace foxnn {

template <class T>
struct Pieces {
    struct Piece {  // rows * columns numbers from `offset` on of an array of a layer: one panel of it
        std::size_t layer;
        Part part;
        Index offset, rows, columns;
        Index squares;  // where those of its columns are

        Index size() const { return rows * columns; }
    };
    std::vector<Piece> all;
    // The sum of the squares of each column of each array. How wide panels are depends on the instruction set, but the
    // order of columns does not, nor does that of the rows in each: so this is the order to sum up all squares in.
    std::vector<double> squares;

    Pieces() = default;
    explicit Pieces(const Network<T>& network) {
        for (std::size_t l = 0; l < network.layers.size(); l++)
            for (const Part part : kParts) add(network.layers[l], l, part);
    }
    const Piece& operator[](Index i) const { return all[static_cast<std::size_t>(i)]; }
    Index count() const { return static_cast<Index>(all.size()); }
    double total() const {
        double sum = 0;
        for (const double s : squares) sum += s;
        return sum;
    }

  private:
    void add(const Dense<T>& layer, std::size_t l, Part part) {
        if (!layer.learns(part) || layer[part].size() == 0) return;
        const Panels<T>& panels = layer.panels;
        for (Index p = 0; p < panels.count; p++) {
            const bool weights = part == Part::weights;
            all.push_back({l, part, weights ? panels.offset(p) : panels.first_column(p), weights ? panels.rows : 1,
                           panels.width_of(p), static_cast<Index>(squares.size())});
            squares.resize(squares.size() + static_cast<std::size_t>(panels.width_of(p)));
        }
    }
};

}  // namespace foxnn
