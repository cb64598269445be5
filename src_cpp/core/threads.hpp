// How many threads to use.
#pragma once
#include <string>

namespace foxnn {

// The cores this process may run on, by its CPU affinity.
int usable_cores();
// How many threads it may use: CPU affinity, the cgroup's quota and OMP_NUM_THREADS considered.
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
