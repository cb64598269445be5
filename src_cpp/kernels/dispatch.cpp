#include "kernels/dispatch.hpp"

#include <cstdlib>
#include <stdexcept>

#if defined(FOXNN_X86)
#include <cpuid.h>
#endif

namespace foxnn {

InstructionSet baseline_kernels();
InstructionSet avx2_kernels();
InstructionSet avx512_kernels();
InstructionSet neon_kernels();

#if defined(FOXNN_X86)
namespace {

struct Processor {
    bool avx2 = false, avx512 = false;

    Processor() {
        unsigned a, b, c, d;
        if (!__get_cpuid(1, &a, &b, &c, &d)) return;
        const bool fma = c >> 12 & 1, saves_registers = c >> 27 & 1;
        if (!fma || !saves_registers || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
        // The operating system has to save the wide registers too: it says so in the extended control register 0.
        unsigned low, high;
        asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        const auto has = [&](int bit) { return (b >> bit & 1) != 0; };
        avx2 = has(5) && (low & 0x06) == 0x06;
        avx512 = avx2 && has(16) && has(17) && has(30) && has(31) && (low & 0xe6) == 0xe6;  // F, DQ, BW, VL
    }
};

}  // namespace
#endif

std::vector<InstructionSet> available_instruction_sets() {
    std::vector<InstructionSet> sets;
#if defined(FOXNN_X86)
    const Processor processor;
    if (processor.avx512) sets.push_back(avx512_kernels());
    if (processor.avx2) sets.push_back(avx2_kernels());
    sets.push_back(baseline_kernels());
#elif defined(FOXNN_ARM64)
    sets.push_back(neon_kernels());  // every 64-bit Arm processor has it
#else
    sets.push_back(baseline_kernels());
#endif
    return sets;
}

namespace {

const char* forced() {
    const char* name = std::getenv("FOXNN_ISA");
    return name && *name ? name : nullptr;
}

InstructionSet choose() {
    const auto sets = available_instruction_sets();
    if (!forced()) return sets.front();
    std::string names;
    for (const auto& set : sets) {
        if (std::string(set.name) == forced()) return set;
        names += (names.empty() ? "" : ", ") + std::string(set.name);
    }
    throw std::invalid_argument("FOXNN_ISA is '" + std::string(forced()) +
                                "', but this build and processor have: " + names);
}

}  // namespace

const InstructionSet& instruction_set() {
    static const InstructionSet set = choose();
    return set;
}

std::string instruction_set_reason() { return forced() ? "forced by FOXNN_ISA" : "the best this processor has"; }

}  // namespace foxnn
