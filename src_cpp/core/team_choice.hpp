// Whether a team of threads or a single one gets on faster.
#pragma once
#include <algorithm>

#include "kernels/table.hpp"

namespace foxnn {

// Tells whether a team or a single thread gets on faster. A team waits for its slowest member, and on a machine that is
// busy with other things that can take longer than doing all the work alone: fifty times as long if another library's
// threads keep a core spinning. So both are timed, the slower one from time to time and briefly, and the faster one is
// used; sooner than planned if the team has become slower than a single thread was. (Results do not depend on it.)
class TeamChoice {
  public:
    int workers(int team) const { return alone_ ? 1 : team; }
    // How much longer the present choice is to work before record() is to be told.
    double seconds_left() const {
        if (state_ != settled) return (state_ == warming ? kWarmUp : kTrial) - seconds_;
        return std::min(kSlice - slice_seconds_, period_ - seconds_);
    }
    // The present choice worked that long, on so many rows.
    void record(double seconds, Index rows);

  private:
    // A trial begins with a while that does not count: threads wake up and find a core, and caches fill.
    static constexpr double kWarmUp = 0.003, kTrial = 0.004;
    // Between trials the team is looked at in slices, and for a while left in peace.
    static constexpr double kSlice = 0.01, kPeace = 0.04, kUnknown = 1e9;
    void decide();
    void try_the_other();

    enum { settled, warming, trying } state_ = warming;  // first of all, the team is tried
    bool alone_ = false;
    int slow_slices_ = 0;  // in a row
    double period_ = 0, seconds_ = 0, rows_ = 0, slice_seconds_ = 0, slice_rows_ = 0;
    double seconds_per_row_[2] = {kUnknown, kUnknown};  // of the team, and alone
};

}  // namespace foxnn
