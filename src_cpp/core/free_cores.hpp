// How many cores are left for a team of threads on a machine that has other things to do.
#pragma once
#include "core/fair_lock.hpp"

namespace foxnn {

// When workers of a team find themselves on one core, either they were only woken there, and the system will soon move
// them apart; or something else keeps the others busy, and a team that is larger than what is left only waits for
// itself. So teams stay smaller for a moment, and longer whenever the next larger one finds the same. Times are seconds
// on any clock.
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
