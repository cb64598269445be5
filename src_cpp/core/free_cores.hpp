// Gives teams fewer threads while other programs use some of the cores.
#pragma once
#include "core/fair_lock.hpp"

namespace foxnn {

// When two workers of a team are found on the same core, there are two possible causes. The system may have woken both
// on it, and will soon move one of them to another core: nothing has to be done. Or other programs keep the other cores
// busy: then the worker that has to wait for a core makes all others wait at every barrier, and a smaller team is
// faster. At first nobody can tell which it is. So teams get only as many workers as had cores of their own, for 10 ms;
// then a full team is tried again. Each time that it finds the same, the limit lasts four times as long as the last
// time, up to a second. Times are seconds on any clock.
class FreeCores {
  public:
    // How many workers a team that wants `count` had better have now.
    int limit(int count, double now) const;
    // The workers of a team were seen on only so many cores.
    void found(int cores, double now);

  private:
    static constexpr double kShortest = 0.01, kLongest = 1, kGrowth = 4;
    mutable FairLock mutex_;
    int cores_ = 1;
    double until_ = 0, period_ = 0;
};

}  // namespace foxnn
