#include "core/scaling.hpp"

#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/samples.hpp"
#include "core/team.hpp"
#include "core/threads.hpp"

namespace foxnn {
namespace {

// Statistics of the columns of some rows: a and b are the mean and the sum of squared differences from it, or the least
// and the largest number.
struct Columns {
    double rows = 0;
    std::vector<double> a, b;
};

// Welford's update (1962), one row after another, which loses no digits as a sum of squares would. It works on the
// differences from the first row, which are exact even for numbers that are far from zero and close together.
struct Moments {
    static constexpr bool kFromFirst = true;
    static void add(Columns& c, const double* x) {
        const double share = 1 / ++c.rows;
        for (std::size_t j = 0; j < c.a.size(); j++) {
            const double before = x[j] - c.a[j];
            c.a[j] += before * share;
            c.b[j] += before * (x[j] - c.a[j]);
        }
    }
    // Chan, Golub and LeVeque 1983.
    static void join(Columns& c, const Columns& other) {
        const double rows = c.rows + other.rows, share = other.rows / rows;
        for (std::size_t j = 0; j < c.a.size(); j++) {
            const double distance = other.a[j] - c.a[j];
            c.a[j] += distance * share;
            c.b[j] += other.b[j] + distance * distance * c.rows * share;
        }
        c.rows = rows;
    }
    static double spread(const Columns& c, std::size_t j) { return std::sqrt(c.b[j] / c.rows); }
};

struct Range {
    static constexpr bool kFromFirst = false;
    static void add(Columns& c, const double* x) {
        for (std::size_t j = 0; j < c.a.size(); j++) {
            c.a[j] = c.rows == 0 ? x[j] : std::min(c.a[j], x[j]);
            c.b[j] = c.rows == 0 ? x[j] : std::max(c.b[j], x[j]);
        }
        c.rows++;
    }
    static void join(Columns& c, const Columns& other) {
        add(c, other.a.data());
        add(c, other.b.data());
    }
    static double spread(const Columns& c, std::size_t j) { return c.b[j] - c.a[j]; }
};

// Rows are cut into blocks, whose statistics are computed by any thread and joined in order. How many blocks there are
// depends on the number of rows only, so that the result has the same bits for any number of threads.
template <class Statistic>
Scaling fit(const Rows& rows, const std::int64_t* order, Index n, int n_threads) {
    constexpr Index least = 1024, most_blocks = 256;
    const Index block = std::max(least, (n + most_blocks - 1) / most_blocks), blocks = (n + block - 1) / block;
    const auto width = static_cast<std::size_t>(rows.columns);
    std::vector<Columns> parts(static_cast<std::size_t>(blocks));
    for (Columns& part : parts) part.a.resize(width), part.b.resize(width);
    std::vector<double> first(width);
    if (Statistic::kFromFirst) rows.read(order ? static_cast<Index>(order[0]) : 0, first.data());
    std::atomic<Index> next{0};
    const int team = threads_for(16.0 * static_cast<double>(n) * static_cast<double>(width), n_threads);
    std::vector<std::vector<double>> buffers(static_cast<std::size_t>(team), std::vector<double>(width));
    run_team(team, [&](const Worker& worker) {
        double* const x = buffers[static_cast<std::size_t>(worker.id)].data();
        for (Index b; (b = next.fetch_add(1, std::memory_order_relaxed)) < blocks;)
            for (Index i = b * block; i < std::min(n, (b + 1) * block); i++) {
                rows.read(order ? static_cast<Index>(order[i]) : i, x);
                if (Statistic::kFromFirst)
                    for (std::size_t j = 0; j < width; j++) x[j] -= first[j];
                Statistic::add(parts[static_cast<std::size_t>(b)], x);
                worker.worked(rows.columns);
            }
    });
    for (std::size_t b = 1; b < parts.size(); b++) Statistic::join(parts[0], parts[b]);

    std::vector<double> shift(width), spread(width);
    for (std::size_t j = 0; j < width; j++) {
        shift[j] = first[j] + parts[0].a[j];
        spread[j] = Statistic::spread(parts[0], j);
        if (!std::isfinite(spread[j])) throw std::invalid_argument("numbers too large to be scaled");
        // A column whose spread is within the rounding errors of its mean is constant: it is shifted only.
        const double rounding = 8 * std::numeric_limits<double>::epsilon() * std::abs(shift[j]);
        if (spread[j] <= rounding || !std::isfinite(1 / spread[j])) spread[j] = 1;
    }
    return {shift, spread};
}

}  // namespace

Scaling::Scaling(std::vector<double> s, std::vector<double> d) : shift(std::move(s)), spread(std::move(d)) {
    if (shift.size() != spread.size()) throw std::invalid_argument("scaling: shift and spread differ in length");
    for (std::size_t j = 0; j < shift.size(); j++) {
        if (!std::isfinite(shift[j]) || !(spread[j] > 0) || !std::isfinite(1 / spread[j]))
            throw std::invalid_argument("scaling: shift and spread have to be finite, and spread positive");
        factor.push_back(1 / spread[j]);
    }
}

Scaling fit_scaling(const std::string& kind, const Rows& rows, const std::int64_t* order, Index n, int n_threads) {
    if (kind == "standard") return fit<Moments>(rows, order, n, n_threads);
    if (kind == "minmax") return fit<Range>(rows, order, n, n_threads);
    throw std::invalid_argument("unknown scaling '" + kind + "'");
}

}  // namespace foxnn
