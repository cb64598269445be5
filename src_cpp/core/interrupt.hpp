// Long work that stops when someone outside asks for it, as Ctrl-C does.
#pragma once
#include <chrono>
#include <exception>

#include "kernels/table.hpp"

namespace foxnn {

// What comes out of work that was asked to stop: it has changed nothing, and may be begun anew.
struct Interrupted : std::exception {
    const char* what() const noexcept override { return "interrupted"; }
};

// Whether work is to stop: asked now and then by the thread that called the core, which may hold a network's lock.
// Whoever uses the core may set it, once.
using InterruptHook = bool (*)();
void set_interrupt_hook(InterruptHook hook);

// Counts what its thread does, so that it looks at the clock, and now and then asks the hook, without any cost.
class Watch {
  public:
    // `units` of a tile's inner dimension, or as much of other work, are done. Whether it is time to look around.
    bool counts(Index units) { return (left_ -= units) < 0; }
    // Throws Interrupted if work is to stop.
    void ask();
    // Looks around no more until as much has been done again.
    void rest() { left_ = kUnits; }
    // All this, where nobody else works with this thread.
    void worked(Index units) {
        if (counts(units)) ask();
    }

  private:
    static constexpr Index kUnits = 1 << 14;  // some 0.05 ms, and not much more than 1 on the slowest processor
    Index left_ = kUnits;
    std::chrono::steady_clock::time_point asked_{};  // the beginning of time: not yet
};

}  // namespace foxnn
