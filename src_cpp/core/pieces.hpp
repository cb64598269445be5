// All arrays that a step changes, cut into pieces for workers to share. The cut depends on the network alone, so that a
// sum over all pieces, in their order, has the same bits for any number of workers.
#pragma once
#include <vector>

#include "core/network.hpp"

namespace foxnn {

template <class T>
struct Pieces {
    struct Piece {  // numbers [offset, offset + n) of an array of a layer
        std::size_t layer;
        Part part;
        Index offset, n;
    };
    std::vector<Piece> all;
    std::vector<double> squares;  // of each piece: the sum of its squares

    Pieces() = default;
    explicit Pieces(const Network<T>& network) {
        constexpr Index most = 8192;
        for (std::size_t l = 0; l < network.layers.size(); l++)
            for (const Part part : kParts) {
                const Index size = network.layers[l].learns(part) ? network.layers[l][part].size() : 0;
                for (Index offset = 0; offset < size; offset += most)
                    all.push_back({l, part, offset, std::min(most, size - offset)});
            }
        squares.resize(all.size());
    }
    const Piece& operator[](Index i) const { return all[static_cast<std::size_t>(i)]; }
    Index count() const { return static_cast<Index>(all.size()); }
    double total() const {
        double sum = 0;
        for (const double s : squares) sum += s;
        return sum;
    }
};

}  // namespace foxnn
