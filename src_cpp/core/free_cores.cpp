#include "core/free_cores.hpp"

#include <algorithm>

namespace foxnn {

int FreeCores::limit(int count, double now) const {
    const std::lock_guard lock(mutex_);
    return now < until_ ? std::min(count, cores_) : count;
}

void FreeCores::found(int cores, double now) {
    const std::lock_guard lock(mutex_);
    if (now < until_) {  // another team found the same at about that time: the smaller number holds for both
        cores_ = std::min(cores, cores_);
        return;
    }
    const double longer = std::min(kGrowth * period_, kLongest);
    period_ = now < until_ + longer ? longer : kShortest;
    until_ = now + period_;
    cores_ = cores;
}

}  // namespace foxnn
