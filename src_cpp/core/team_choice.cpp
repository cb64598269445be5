#include "core/team_choice.hpp"

#include <algorithm>

namespace foxnn {

void TeamChoice::record(double seconds, Index rows) {
    seconds_ += seconds;
    rows_ += static_cast<double>(rows);
    if (seconds_left() > 0) return;
    if (state_ == warming) {
        state_ = trying;
        seconds_ = rows_ = 0;
        return;
    }
    seconds_per_row_[alone_] = seconds_ / std::max(rows_, 1.0);
    if (state_ == settled) {
        alone_ = !alone_;
        state_ = alone_ ? trying : warming;
    } else {
        alone_ = seconds_per_row_[1] * 1.1 < seconds_per_row_[0];
        // A choice holds for many times as long as the trial took, so that trials cost little even if a single step
        // takes long. A single thread is used only while the machine is busy, so that choice is reconsidered sooner.
        period_ = alone_ ? std::max(0.1, 20 * seconds_) : std::max(0.25, 50 * seconds_);
        state_ = settled;
    }
    seconds_ = rows_ = 0;
}

}  // namespace foxnn
