// A network's lock as Python's threads take it.
#pragma once
#include <pybind11/pybind11.h>

#include <mutex>
#include <shared_mutex>

#include "bindings/gil.hpp"
#include "core/network.hpp"

namespace foxnn {

// Nobody waits for a network's lock with the GIL held: whoever has the lock may be waiting for the GIL, as these do
// when they come back. What they are for is done with both, so that a fork(), which Python calls with the GIL held,
// comes before or after it. (Copies of many numbers are made without the GIL: numbers may be half-way, sizes may not.)
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
