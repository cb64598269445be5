#include "core/interrupt.hpp"

#include <atomic>

namespace foxnn {
namespace {

// Promised are 0.1 s, of which what comes after an answer needs some.
constexpr std::chrono::milliseconds kBetweenAnswers(30);

std::atomic<InterruptHook> interrupt_hook{nullptr};

}  // namespace

void set_interrupt_hook(InterruptHook hook) { interrupt_hook = hook; }

void Watch::ask() {
    rest();
    const auto now = std::chrono::steady_clock::now();
    if (asked_ == decltype(asked_){}) asked_ = now;  // the hook costs more than short work does
    if (now - asked_ < kBetweenAnswers) return;
    asked_ = now;
    const InterruptHook hook = interrupt_hook;
    if (hook && hook()) throw Interrupted();
}

}  // namespace foxnn
