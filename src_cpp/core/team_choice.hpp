// Decides by measurement whether a team of threads or a single thread is faster.
#pragma once
#include "kernels/table.hpp"

namespace foxnn {

// A team waits for its slowest member, and on a machine that is busy with other things that can take longer than doing
// all the work alone. So both are timed, the slower one briefly from time to time, and the faster one is used. (Results
// do not depend on it.)
class TeamChoice {
  public:
    int workers(int team) const { return alone_ ? 1 : team; }
    // How much longer the present choice is to work before it is reconsidered.
    double seconds_left() const {
        return (state_ == settled ? period_ : state_ == warming ? kWarmUp : kTrial) - seconds_;
    }
    // The present choice worked that long, on so many rows.
    void record(double seconds, Index rows);

  private:
    // The first milliseconds of a team's trial are not measured: its threads wake up and get cores, and caches fill. (A
    // single thread needs no such time, as it is one of the team that has just worked.)
    static constexpr double kWarmUp = 0.003, kTrial = 0.004;
    enum { settled, warming, trying } state_ = warming;  // first of all, the team is tried
    bool alone_ = false;
    double period_ = 0, seconds_ = 0, rows_ = 0;
    double seconds_per_row_[2] = {0, 1e9};  // of the team, and alone: not known yet
};

}  // namespace foxnn
