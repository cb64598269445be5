#include "core/orthogonal.hpp"

#include <algorithm>
#include <cmath>

#include "core/products.hpp"
#include "core/random.hpp"
#include "core/threads.hpp"

namespace foxnn {
namespace {

// Gram and Schmidt's process on vectors of normal random numbers. Every step is done twice, which keeps rounding errors
// from growing (Barlow and Smoktunowicz 2013: "Reorthogonalized block classical Gram-Schmidt"). First a block of
// vectors is made orthogonal to all vectors before it, by two products of matrices, which take nearly all of the time;
// then the vectors of the block are made orthogonal to one another. In V = R Q, which this computes, R has a positive
// diagonal, so that all orthonormal Q are equally likely (Mezzadri 2007).
class Orthonormal {
  public:
    Orthonormal(Index count, Index length)
        : count_(count),
          length_(length),
          ld_(padded_stride<double>(length)),
          width_(2 * kernels<double>().lanes),
          q_((count + kBlock - 1) / kBlock * kBlock * ld_),
          block_(length * kBlock),
          shares_(count * kBlock),
          row_(2 * kBlock) {}

    void fill(std::uint64_t seed, std::uint32_t layer, const Worker& worker) {
        for (Index first = 0; first < count_; first += kBlock) {
            const Index n = std::min(kBlock, count_ - first);
            for (Index i = first + worker.begin(n); i < first + worker.end(n); i++) {
                Stream random(seed, Purpose::weights, layer, i * length_);  // a normal number takes one of its blocks
                std::generate_n(q_.data() + i * ld_, length_, [&] { return random.normal(); });
                worker.worked(2 * length_);
            }
            worker.barrier();
            columns_from_rows(first, worker);
            for (int twice = 0; twice < 2; twice++) {
                if (first > 0) {
                    worker.barrier();
                    share_of_earlier(first, worker);
                    worker.barrier();
                    take_away(first, worker);
                    worker.barrier();
                    rows_from_columns(first, worker);
                }
                worker.barrier();
                if (worker.id == 0)
                    for (Index c = 0; c < n; c++) orthonormalise(first, c, worker);
            }
            worker.barrier();
        }
    }
    // The vectors are w's rows or its columns.
    template <class T>
    void copy_to(const Panels<T>& panels, T* w, bool rows, const Worker& worker) const {
        for (Index i = worker.begin(count_); i < worker.end(count_); i++) {
            const double* const v = q_.data() + i * ld_;
            worker.worked(length_);
            for (Index x = 0; x < length_; x++) w[rows ? panels.at(i, x) : panels.at(x, i)] = static_cast<T>(v[x]);
        }
    }

  private:
    static constexpr Index kBlock = 64;  // a multiple of every panel's width

    double* panel_of_block(Index p) { return block_.data() + p * length_ * width_; }
    double* panel_of_shares(Index p) { return shares_.data() + p * count_ * width_; }

    // The block is there twice: as rows of Q, and as columns, in panels that a tile can read.
    void columns_from_rows(Index first, const Worker& worker) {
        for (Index p = worker.begin(kBlock / width_); p < worker.end(kBlock / width_); p++)
            kernels<double>().transpose(q_.data() + (first + p * width_) * ld_, width_, length_, ld_, panel_of_block(p),
                                        width_);
    }
    void rows_from_columns(Index first, const Worker& worker) {
        for (Index p = worker.begin(kBlock / width_); p < worker.end(kBlock / width_); p++)
            kernels<double>().transpose(panel_of_block(p), length_, width_, width_,
                                        q_.data() + (first + p * width_) * ld_, ld_);
    }
    // -Q V^T, Q being the vectors before the block V.
    void share_of_earlier(Index first, const Worker& worker) {
        for_tiles<double>(worker.begin(first), worker.end(first), 2, [&](Index row, Index n) {
            for (Index p = 0; p < kBlock / width_; p++) {
                double* const shares = panel_of_shares(p) + row * width_;
                kernels<double>().tile[2][n](length_, q_.data() + row * ld_, ld_, panel_of_block(p), width_, nullptr, 0,
                                             shares, width_);
                std::transform(shares, shares + n * width_, shares, std::negate<>());
                worker.worked(length_);
            }
        });
    }
    // V^T <- V^T - Q^T (Q V^T), as many of the vectors Q at a time as stay in a near cache.
    void take_away(Index first, const Worker& worker) {
        for (Index from = 0; from < first; from += kBlock)
            for_tiles<double>(worker.begin(length_), worker.end(length_), 2, [&](Index x, Index n) {
                for (Index p = 0; p < kBlock / width_; p++) {
                    double* const v = panel_of_block(p) + x * width_;
                    kernels<double>().tile_at[2][n](kBlock, q_.data() + from * ld_ + x, ld_,
                                                    panel_of_shares(p) + from * width_, width_, v, width_, v, width_);
                    worker.worked(kBlock);
                }
            });
    }
    // Vector c of the block: orthogonal to those before it in the block, and of length 1.
    void orthonormalise(Index first, Index c, const Worker& worker) {
        const Kernels<double>& k = kernels<double>();
        double *const v = q_.data() + (first + c) * ld_, *const shares = row_.data(), *const zeros = shares + kBlock;
        for (int twice = 0; c > 0 && twice < 2; twice++) {
            k.row(length_, v, block_.data(), (c + width_ - 1) / width_, zeros, shares);
            std::transform(shares, shares + c, shares, std::negate<>());
            for (Index x = 0; x < length_; x += width_)
                k.tile[2][1](c, shares, c, q_.data() + first * ld_ + x, ld_, v + x, 0, v + x, width_);
            worker.worked(4 * length_);
        }
        double squares = 0;
        for (Index x = 0; x < length_; x++) squares += v[x] * v[x];
        const double norm = std::sqrt(squares);
        double* const column = block_.data() + c / width_ * length_ * width_ + c % width_;
        for (Index x = 0; x < length_; x++) column[x * width_] = v[x] /= norm;
    }

    const Index count_, length_, ld_, width_;
    Buffer<double> q_;       // (count, length), in whole blocks
    Buffer<double> block_;   // (length, kBlock) in panels
    Buffer<double> shares_;  // (count, kBlock) in panels
    Buffer<double> row_;     // (kBlock,), and as many zeros
};

}  // namespace

template <class T>
void fill_orthogonal(std::uint64_t seed, std::uint32_t layer, const Panels<T>& panels, T* w, int n_threads) {
    const Index count = std::min(panels.rows, panels.columns), length = std::max(panels.rows, panels.columns);
    Orthonormal vectors(count, length);
    const double flops = 4.0 * static_cast<double>(count) * static_cast<double>(count) * static_cast<double>(length);
    run_team(threads_for(flops, n_threads), [&](const Worker& worker) {
        vectors.fill(seed, layer, worker);
        vectors.copy_to(panels, w, panels.rows <= panels.columns, worker);
    });
}

template void fill_orthogonal(std::uint64_t, std::uint32_t, const Panels<float>&, float*, int);
template void fill_orthogonal(std::uint64_t, std::uint32_t, const Panels<double>&, double*, int);

}  // namespace foxnn
