// The processor time that Linux's control groups grant this process.
#pragma once
#include <string>

namespace foxnn {

constexpr int kUnlimited = 1 << 20;

// Whole cores, rounded up, of the least quota that the process's control group (of version 1 or 2) or one above it has;
// kUnlimited if none has any. `root` stands before every path that is read.
int cgroup_cores(const std::string& root = "");

}  // namespace foxnn
