#include "core/threads.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <thread>

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace foxnn {
namespace {

// OpenMP's worker threads do not survive fork(), and waiting for them would hang: a forked child works serially.
std::atomic<bool> forked{false};
std::atomic<int> wanted{0};

#if !defined(_WIN32)
const int at_fork = pthread_atfork(nullptr, nullptr, [] { forked = true; });
#endif

int openmp_limit() {
#if defined(_OPENMP)
    return omp_get_max_threads();
#else
    return 1;
#endif
}

// Whole cores granted by the cgroup (version 2, then 1), or a large number.
int cgroup_limit() {
    constexpr int unlimited = 1 << 20;
    const auto cores = [](double quota, double period) {
        return quota > 0 && period > 0 ? std::max(1, static_cast<int>(std::ceil(quota / period))) : unlimited;
    };
    if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2) {
        std::string quota;
        double period = 0;
        if (v2 >> quota >> period && quota != "max") return cores(std::atof(quota.c_str()), period);
        return unlimited;
    }
    double quota = 0, period = 0;
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") >> quota;
    std::ifstream("/sys/fs/cgroup/cpu/cpu.cfs_period_us") >> period;
    return cores(quota, period);
}

int affinity_limit() {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

const int cores = affinity_limit();

int detect() {
    if (std::getenv("OMP_NUM_THREADS")) return openmp_limit();
    return std::min({cores, cgroup_limit(), openmp_limit()});
}

const int openmp_at_start = openmp_limit();
const int detected = detect();

}  // namespace

int usable_cores() { return cores; }

int available_threads() { return forked ? 1 : std::min(detected, openmp_limit()); }

void set_num_threads(int n) { wanted = n; }
int wanted_threads() { return wanted; }

int num_threads() {
    if (forked) return 1;
    const int n = wanted;
    if (n == 0) return available_threads();
    // Someone (threadpoolctl, say) has lowered OpenMP's limit since: it holds for us as well.
    return openmp_limit() < openmp_at_start ? std::min(n, openmp_limit()) : n;
}

int threads_for(double flops, int limit) {
    if (forked) return 1;
    // A barrier costs about a microsecond, in which one core does some 50,000 operations.
    constexpr double worth_a_thread = 4e5;
    const int most = limit > 0 ? limit : num_threads();
    return static_cast<int>(std::clamp(flops / worth_a_thread, 1.0, static_cast<double>(most)));
}

std::string thread_runtime() {
#if defined(_OPENMP)
    return "OpenMP " + std::to_string(_OPENMP);
#else
    return "none (built without OpenMP)";
#endif
}

}  // namespace foxnn
