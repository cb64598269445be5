// Waiting without giving up the core.
#pragma once

namespace foxnn {

// What a loop that waits for another core does each time round: saves power, and time of the other hyper-thread.
inline void relax() {
#if defined(__x86_64__) || defined(_M_X64)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace foxnn
