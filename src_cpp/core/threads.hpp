// How many threads to use.
#pragma once
#include <string>

namespace foxnn {

// The cores the caller's team may run on, by its CPU affinity.
int usable_cores();
// No more threads than these work together, whatever is asked for.
int most_threads();
// How many threads it may use: CPU affinity, the cgroup's quota and OpenMP's limits considered.
int available_threads();
// The most threads foxnn uses; 0: as many as available_threads().
void set_num_threads(int n);
int wanted_threads();  // as set; 0 if never
int num_threads();
// Threads worth having for `flops` of work between barriers; `limit` = 0: num_threads(), else exactly that many at
// most.
int threads_for(double flops, int limit = 0);
std::string thread_runtime();

}  // namespace foxnn
