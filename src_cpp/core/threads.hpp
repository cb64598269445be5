// How many threads to use.
#pragma once
#include <string>

namespace foxnn {

// The cores the caller's team may run on, by its CPU affinity.
int usable_cores();
// The most threads that ever work together, whatever is asked for.
int most_threads();
// How many threads it may use: CPU affinity, the cgroup's quota and OpenMP's limits considered.
int available_threads();
// The most threads foxnn uses; 0: as many as available_threads().
void set_num_threads(int n);
int wanted_threads();  // as set; 0 if never
int num_threads();
// How many threads are worth using for `flops` of work between two barriers: at most `limit`, or num_threads() if that
// is 0.
int threads_for(double flops, int limit = 0);
std::string thread_runtime();

}  // namespace foxnn
