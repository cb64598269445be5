// Scaling of inputs and targets, feature by feature: x is read as (x - shift) / spread.
#pragma once
#include <string>
#include <vector>

#include "kernels/table.hpp"

namespace foxnn {

struct Rows;

struct Scaling {
    std::vector<double> shift, spread;  // both empty: nothing is scaled
    std::vector<double> factor;         // 1 / spread

    Scaling() = default;
    Scaling(std::vector<double> shift, std::vector<double> spread);
    bool empty() const { return shift.empty(); }
    // The way back, from scaled numbers to those of the user.
    template <class T>
    void undo(const T* in, T* out) const {
        for (std::size_t j = 0; j < shift.size(); j++)
            out[j] = static_cast<T>(static_cast<double>(in[j]) * spread[j] + shift[j]);
    }
    // Multiplies by the derivative of undo(), and by that of scaling.
    template <class T>
    void times_spread(T* d) const {
        for (std::size_t j = 0; j < spread.size(); j++) d[j] = static_cast<T>(static_cast<double>(d[j]) * spread[j]);
    }
    template <class T>
    void times_factor(T* d) const {
        for (std::size_t j = 0; j < factor.size(); j++) d[j] = static_cast<T>(static_cast<double>(d[j]) * factor[j]);
    }
};

// The scaling that "standard" makes of each column a mean of 0 and a variance of 1, and "minmax" a range from 0 to 1,
// over the rows order[0], .., order[n - 1] (null: 0, .., n - 1). A column all of one value is only shifted. The same
// bits for any number of threads.
Scaling fit_scaling(const std::string& kind, const Rows& rows, const std::int64_t* order, Index n, int n_threads);

}  // namespace foxnn
