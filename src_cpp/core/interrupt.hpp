// Long work that stops when someone outside asks for it, as Ctrl-C does.
#pragma once
#include <chrono>
#include <exception>

#include "kernels/table.hpp"

namespace foxnn {

// Thrown by work that was asked to stop: it has changed nothing, and may be started again.
struct Interrupted : std::exception {
    const char* what() const noexcept override { return "interrupted"; }
};

// Tells whether work is to stop. Called now and then by the thread that called the core, which may hold a network's
// lock then. The program that uses the core may set it, once.
using InterruptHook = bool (*)();
void set_interrupt_hook(InterruptHook hook);

// Counts the work of its thread, so that the clock is read, and the hook called, so seldom that it costs nothing.
class Watch {
  public:
    // Counts `units` of a tile's inner dimension, or as much of other work. Returns whether it is time for ask().
    bool counts(Index units) { return (left_ -= units) < 0; }
    // Throws Interrupted if work is to stop.
    void ask();
    // Starts counting again from zero.
    void rest() { left_ = kUnits; }
    // Counts, and asks when it is time. (A worker of a team does other things then, too: Worker::worked().)
    void worked(Index units) {
        if (counts(units)) ask();
    }

  private:
    static constexpr Index kUnits = 1 << 14;  // some 0.05 ms, and not much more than 1 on the slowest processor
    Index left_ = kUnits;
    std::chrono::steady_clock::time_point asked_{};  // the beginning of time: not yet
};

}  // namespace foxnn
