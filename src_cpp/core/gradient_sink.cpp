#include "core/gradient_sink.hpp"

#include <cmath>

namespace foxnn {

// Clipping by norm needs the norm of all gradients, and so all of them to be there first.
template <class T>
bool GradientSink<T>::use_kept(const Worker& worker) {
    Step<T> clipped = step_;
    if (clips_norm()) {
        panels_.share(worker, [&](const auto& p) {
            kernels<T>().column_squares(kept(*p.parameter) + p.offset, p.rows, p.columns,
                                        panels_.squares.data() + p.squares);
        });
        worker.barrier();
        const double norm = std::sqrt(panels_.total());
        if (norm > optimizer_->clip_norm) clipped.scale = static_cast<T>(optimizer_->clip_norm / norm);
        if (!std::isfinite(norm)) return false;
    }
    bool finite = true;
    panels_.share(worker, [&](const auto& p) {
        finite &= optimizer_->update(*p.parameter, p.offset, p.rows * p.columns, kept(*p.parameter) + p.offset,
                                     clips_norm() ? clipped : step_of(*p.parameter));
    });
    return finite;
}

template class GradientSink<float>;
template class GradientSink<double>;

}  // namespace foxnn
