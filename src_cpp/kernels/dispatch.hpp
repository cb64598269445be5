// Which instruction sets this build has kernels for, which of them this processor can run, and the one in use.
#pragma once
#include <string>
#include <vector>

#include "kernels/table.hpp"

namespace foxnn {

// All that this processor can run, best first.
std::vector<InstructionSet> available_instruction_sets();

// The one in use, chosen at the first call: the best available, or the one that the environment variable FOXNN_ISA
// names. Throws std::invalid_argument if that one is unknown or cannot run here.
const InstructionSet& instruction_set();

// Why it is that one, in words.
std::string instruction_set_reason();

template <class T>
const Kernels<T>& kernels();
template <>
inline const Kernels<float>& kernels<float>() {
    static const Kernels<float>& k = *instruction_set().f32;
    return k;
}
template <>
inline const Kernels<double>& kernels<double>() {
    static const Kernels<double>& k = *instruction_set().f64;
    return k;
}

}  // namespace foxnn
