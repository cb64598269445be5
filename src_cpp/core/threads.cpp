#include "core/threads.hpp"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>

#include "core/cgroup.hpp"
#include "core/cores.hpp"
#include "core/helpers.hpp"

#if defined(_OPENMP)
#include <omp.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace foxnn {
namespace {

// Threads do not survive fork(), and waiting for them would hang: a forked child works serially.
std::atomic<bool> forked{false};
std::atomic<int> wanted{0};

#if !defined(_WIN32)
const int at_fork = pthread_atfork(nullptr, nullptr, [] { forked = true; });
#endif

// The number in a variable of OpenMP's, or the first one if it is a list; kUnlimited if there is none.
int environment(const char* name) {
    const char* const text = std::getenv(name);
    if (!text) return kUnlimited;
    char* end;
    const long n = std::strtol(text, &end, 10);
    while (std::isspace(static_cast<unsigned char>(*end))) end++;
    return n > 0 && (*end == '\0' || *end == ',') ? static_cast<int>(std::min<long>(n, kUnlimited)) : kUnlimited;
}

int openmp_limit() {
#if defined(_OPENMP)
    return omp_get_max_threads();
#else
    return kUnlimited;
#endif
}

const int openmp_at_start = openmp_limit();

// A limit that somebody has set on OpenMP since (with threadpoolctl, for example), which foxnn keeps to as well.
int openmp_limit_since() { return openmp_limit() < openmp_at_start ? openmp_limit() : kUnlimited; }

}  // namespace

int usable_cores() { return reach_of_caller().cores; }

int available_threads() {
    static const int asked = environment("OMP_NUM_THREADS"), granted = cgroup_cores();
    if (forked) return 1;
    const int n = asked < kUnlimited ? asked : std::min(usable_cores(), granted);
    return std::min({n, openmp_limit_since(), most_threads()});
}

int most_threads() {
    static const int most = std::min(most_helpers(), environment("OMP_THREAD_LIMIT"));
    return most;
}

void set_num_threads(int n) { wanted = n; }
int wanted_threads() { return wanted; }

int num_threads() {
    if (forked) return 1;
    const int n = wanted;
    return n == 0 ? available_threads() : std::min({n, openmp_limit_since(), most_threads()});
}

int threads_for(double flops, int limit) {
    // A barrier costs about a microsecond, in which one core does some 50,000 operations.
    constexpr double worth_a_thread = 4e5;
    if (forked || flops < 2 * worth_a_thread) return 1;
    const int most = limit > 0 ? std::min(limit, most_threads()) : num_threads();
    return static_cast<int>(std::clamp(flops / worth_a_thread, 1.0, static_cast<double>(most)));
}

std::string thread_runtime() {
#if defined(_OPENMP)
    return "own threads; limits of OpenMP " + std::to_string(_OPENMP);
#else
    return "own threads (built without OpenMP)";
#endif
}

}  // namespace foxnn
