// How many cores are left for a team of threads on a machine that has other things to do.
#pragma once
#include "core/fair_lock.hpp"

namespace foxnn {

// Two workers of a team on one core have one of two causes. They may have been woken there, and the system soon moves
// one of them; or other programs use the other cores, and then a worker that has no core makes all others wait at every
// barrier. Which of the two it is, time tells: after such a finding teams get only as many workers as had cores of
// their own, for 10 ms; each time that a full team then finds the same again, for four times as long, up to a second.
// Times are seconds on any clock.
class FreeCores {
  public:
    // How many workers a team that wants `count` had better have now.
    int limit(int count, double now) const;
    // A team had only so many cores.
    void found(int cores, double now);

  private:
    static constexpr double kShortest = 0.01, kLongest = 1, kGrowth = 4;
    mutable FairLock mutex_;
    int cores_ = 1;
    double until_ = 0, period_ = 0;
};

}  // namespace foxnn
