#include "core/interrupt.hpp"

#include <atomic>

namespace foxnn {
namespace {

// Work is promised to stop within 0.1 s of Ctrl-C. Once the hook has said so, ending the work takes a part of that.
constexpr std::chrono::milliseconds kBetweenAnswers(30);

std::atomic<InterruptHook> interrupt_hook{nullptr};

}  // namespace

void set_interrupt_hook(InterruptHook hook) { interrupt_hook = hook; }

void Watch::ask() {
    rest();
    const auto now = std::chrono::steady_clock::now();
    if (asked_ == decltype(asked_){})
        asked_ = now;  // short work ends before the hook is called, as that would take longer than the work
    if (now - asked_ < kBetweenAnswers) return;
    asked_ = now;
    const InterruptHook hook = interrupt_hook;
    if (hook && hook()) throw Interrupted();
}

}  // namespace foxnn
