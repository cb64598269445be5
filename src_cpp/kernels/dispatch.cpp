#include "kernels/dispatch.hpp"

#include <cstdlib>
#include <stdexcept>

namespace foxnn {

InstructionSet baseline_kernels();
InstructionSet avx2_kernels();
InstructionSet avx512_kernels();
InstructionSet neon_kernels();

std::vector<InstructionSet> available_instruction_sets() {
    std::vector<InstructionSet> sets;
#if defined(FOXNN_X86)
    // The compiler's check asks the processor and the operating system (which has to save the wide registers).
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
        sets.push_back(avx512_kernels());
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.push_back(avx2_kernels());
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
