#include "core/cores.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(__linux__)
#include <dirent.h>
#include <sys/sysinfo.h>
#endif

namespace foxnn {

int cores_of_machine() {
    static const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    return cores;
}

#if defined(__linux__)

Cores Cores::of_thread(int id) {
    Cores cores;
    if (sched_getaffinity(id, sizeof cores.set_, &cores.set_) != 0) CPU_ZERO(&cores.set_);
    return cores;
}

Cores Cores::of_openmp() {
    Cores cores;
#if defined(_OPENMP)
    for (int place = 0; place < omp_get_num_places(); place++) {
        std::vector<int> ids(static_cast<std::size_t>(omp_get_place_num_procs(place)));
        omp_get_place_proc_ids(place, ids.data());
        for (const int id : ids)  // the user may have listed cores that do not exist
            if (id >= 0 && id < std::min(get_nprocs_conf(), CPU_SETSIZE))
                CPU_SET(static_cast<std::size_t>(id), &cores.set_);
    }
#endif
    return cores;
}

int Cores::count() const { return CPU_COUNT(&set_); }
bool Cores::operator==(const Cores& other) const { return CPU_EQUAL(&set_, &other.set_); }

Cores Cores::with(const Cores& other) const {
    Cores both;
    CPU_OR(&both.set_, &set_, &other.set_);
    return both;
}

Cores Cores::without(const Cores& other) const {
    Cores common, left;
    CPU_AND(&common.set_, &set_, &other.set_);
    CPU_XOR(&left.set_, &set_, &common.set_);
    return left;
}

void Cores::bind_caller() const {
    if (count() > 0) sched_setaffinity(0, sizeof set_, &set_);
}

#else

Cores Cores::of_thread(int) { return {}; }
Cores Cores::of_openmp() { return {}; }
int Cores::count() const { return 0; }
bool Cores::operator==(const Cores&) const { return true; }
Cores Cores::with(const Cores&) const { return {}; }
Cores Cores::without(const Cores&) const { return {}; }
void Cores::bind_caller() const {}

#endif

namespace {

// Whether the user has listed the cores that OpenMP is to use.
bool places_are_listed() {
    const char* const places = std::getenv("OMP_PLACES");
    return std::getenv("GOMP_CPU_AFFINITY") || (places && std::string(places).find('{') != std::string::npos);
}

// Those that any thread of this process may run on.
Cores of_all_threads() {
    Cores cores = Cores::of_thread();
#if defined(__linux__)
    if (DIR* const tasks = opendir("/proc/self/task")) {
        while (const dirent* const task = readdir(tasks))
            if (const int id = std::atoi(task->d_name)) cores = cores.with(Cores::of_thread(id));
        closedir(tasks);
    }
#endif
    return cores;
}

// The cores that OpenMP binds threads to. Another OpenMP library may have bound this thread to one core before ours was
// loaded, so that ours sees one core only. Threads that were started earlier may still run on all of them, and NumPy
// usually has started some: so their cores are counted too.
Cores places_at_start() {
    const Cores places = Cores::of_openmp();
    return places.count() == 0 || places_are_listed() ? places : places.with(of_all_threads());
}

const Cores places = places_at_start(), at_start = Cores::of_thread();

Reach reach_of(const Cores& caller) {
    if (caller.count() == 0) return {caller, cores_of_machine()};
    // If the caller's cores are not those it had at the start, somebody has bound it since, and that holds.
    if (places.count() <= caller.count() || !(caller == at_start)) return {caller, caller.count()};
    return {places.without(caller), places.count()};
}

}  // namespace

const Reach& reach_of_caller() {
    using Clock = std::chrono::steady_clock;
    struct Seen {
        Reach reach = reach_of(Cores::of_thread());
        Clock::time_point until = Clock::now() + std::chrono::milliseconds(10);
    };
    thread_local Seen seen;
    if (Clock::now() >= seen.until) seen = Seen();
    return seen.reach;
}

}  // namespace foxnn
