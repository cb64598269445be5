// Denormal numbers (below 1e-38 in float32) slow processors down: an operation on them takes 4 to 100 times as long. An
// optimizer's averages become denormal, and stay so, for every unit whose gradients have become zero. While an object
// of this class exists, its thread reads and writes denormal numbers as zeros; training does so.
#pragma once

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace foxnn {

class DenormalsAreZero {
  public:
    DenormalsAreZero() : before_(get()) { set(before_ | kBits); }
    ~DenormalsAreZero() { set(before_); }
    DenormalsAreZero(const DenormalsAreZero&) = delete;
    DenormalsAreZero& operator=(const DenormalsAreZero&) = delete;

  private:
#if defined(__x86_64__) || defined(_M_X64)
    using Register = unsigned;
    static constexpr Register kBits = 0x8040;  // flush results, and operands
    static Register get() { return _mm_getcsr(); }
    static void set(Register r) { _mm_setcsr(r); }
#elif defined(__aarch64__)
    using Register = unsigned long long;
    static constexpr Register kBits = 1ull << 24;
    static Register get() {
        Register r;
        asm volatile("mrs %0, fpcr" : "=r"(r));
        return r;
    }
    static void set(Register r) { asm volatile("msr fpcr, %0" : : "r"(r)); }
#else
    using Register = int;
    static constexpr Register kBits = 0;
    static Register get() { return 0; }
    static void set(Register) {}
#endif
    const Register before_;
};

}  // namespace foxnn
