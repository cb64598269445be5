#include "core/team_choice.hpp"

namespace foxnn {

void TeamChoice::record(double seconds, Index rows) {
    seconds_ += seconds, slice_seconds_ += seconds;
    rows_ += static_cast<double>(rows), slice_rows_ += static_cast<double>(rows);
    if (seconds_left() > 0) return;
    const double seconds_per_row = slice_seconds_ / std::max(slice_rows_, 1.0);
    slice_seconds_ = slice_rows_ = 0;
    if (state_ == warming) {
        state_ = trying;
        seconds_ = rows_ = 0;
    } else if (state_ == trying) {
        decide();
    } else {
        slow_slices_ = !alone_ && seconds_per_row > 2 * seconds_per_row_[1] ? slow_slices_ + 1 : 0;
        const bool held_up = slow_slices_ >= 2 && seconds_ >= kPeace;
        if (held_up || seconds_ >= period_) {
            seconds_per_row_[alone_] = held_up ? seconds_per_row : seconds_ / std::max(rows_, 1.0);
            try_the_other();
        }
    }
}

void TeamChoice::decide() {
    seconds_per_row_[alone_] = seconds_ / std::max(rows_, 1.0);
    const bool both_known = seconds_per_row_[1] != kUnknown;
    alone_ = seconds_per_row_[1] * 1.1 < seconds_per_row_[0];
    // Trials cost little, however long a step takes; to be alone is the exception, and sooner reconsidered.
    period_ = !both_known ? std::max(0.02, 5 * seconds_)
              : alone_    ? std::max(0.1, 20 * seconds_)
                          : std::max(0.25, 50 * seconds_);
    state_ = settled;
    seconds_ = rows_ = 0;
}

void TeamChoice::try_the_other() {
    alone_ = !alone_;
    state_ = warming;
    slow_slices_ = 0;
    seconds_ = rows_ = 0;
}

}  // namespace foxnn
