// A network's lock as Python's threads take it.
#pragma once
#include <pybind11/pybind11.h>

#include <mutex>
#include <shared_mutex>

#include "bindings/gil.hpp"
#include "core/network.hpp"

namespace foxnn {

// No thread waits for a network's lock while it holds the GIL: the thread that has the lock may itself be waiting for
// the GIL, and neither would go on. So these release the GIL while they wait for the lock, and then take it again. The
// change is made with both held, so that a fork(), which Python calls with the GIL held, happens before or after it,
// and never in the middle. (Copies of many numbers are made without the GIL: in a child of fork() numbers may be partly
// new, which is allowed, but sizes may not.)
template <class T>
std::unique_lock<FairLock> to_change(const Network<T>& net) {
    if (net.mutex.try_lock()) return {net.mutex, std::adopt_lock};
    const ReleasedGil released;
    return std::unique_lock(net.mutex);
}

template <class T>
std::shared_lock<FairLock> to_read(const Network<T>& net) {
    if (net.mutex.try_lock_shared()) return {net.mutex, std::adopt_lock};
    const ReleasedGil released;
    return std::shared_lock(net.mutex);
}

}  // namespace foxnn
