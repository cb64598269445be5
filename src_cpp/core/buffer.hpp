// A block of numbers aligned to a cache line and zero at first. Moves, never copies by accident.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "core/interrupt.hpp"

namespace foxnn {

// What comes where there is no memory for so many bytes: says how many, and takes no memory for that.
class OutOfMemory : public std::bad_alloc {
  public:
    explicit OutOfMemory(double bytes) {
        static const char* const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB"};
        int unit = 0;
        for (; bytes >= 1000 && unit < 7; unit++) bytes /= 1024;
        std::snprintf(text_, sizeof text_, "Unable to allocate %.3g %s for arrays of a network", bytes, units[unit]);
    }
    const char* what() const noexcept override { return text_; }

  private:
    char text_[80];
};

// The most inputs or outputs of a layer, and rows of a batch: products of two of them can be counted.
constexpr Index kMost = (Index(1) << 31) - 1;

// a * b numbers, both at least 0: more than can be counted are more than there is memory for.
inline Index product(Index a, Index b) {
    Index numbers;
    if (__builtin_mul_overflow(a, b, &numbers))
        throw OutOfMemory(sizeof(float) * static_cast<double>(a) * static_cast<double>(b));
    return numbers;
}

template <class T>
class Buffer {
  public:
    Buffer() = default;
    explicit Buffer(Index size) { allocate(size); }
    // With a watch it may be interrupted, which throws.
    Buffer copy(Watch* watch = nullptr) const {
        Buffer other;
        if (!data_) return other;
        constexpr std::size_t at_once = 1 << 20;
        const std::size_t bytes = other.allocate(size_);
        for (std::size_t i = 0; i < bytes; i += at_once) {
            std::memcpy(reinterpret_cast<char*>(other.data()) + i, reinterpret_cast<const char*>(data()) + i,
                        std::min(at_once, bytes - i));
            if (watch) watch->worked(at_once / 64);
        }
        return other;
    }
    // At least `size` numbers, their values unspecified; as it was if there is no memory for them.
    void grow(Index size) {
        if (size > size_) *this = Buffer(size);
    }
    void fill_zero() {
        if (size_) std::memset(static_cast<void*>(data()), 0, static_cast<std::size_t>(size_) * sizeof(T));
    }

    Index size() const { return size_; }
    T* data() { return data_.get(); }
    const T* data() const { return data_.get(); }
    T& operator[](Index i) { return data_.get()[i]; }
    const T& operator[](Index i) const { return data_.get()[i]; }

  private:
    static constexpr Index kAlignment = 64;
    struct Free {
        void* block = nullptr;
        void operator()(T*) const { std::free(block); }
    };
    // How many bytes that takes. Large blocks come as the system's fresh pages, which are zero already: they cost time
    // when they are first used, and not all at once.
    std::size_t allocate(Index size) {
        constexpr Index most = std::numeric_limits<Index>::max() / static_cast<Index>(sizeof(T)) - kAlignment;
        if (size < 0 || size > most) throw OutOfMemory(sizeof(T) * static_cast<double>(size));
        const auto bytes =
            static_cast<std::size_t>((size * static_cast<Index>(sizeof(T)) / kAlignment + 1) * kAlignment);
        void* const block = std::calloc(bytes + kAlignment, 1);
        if (!block) throw OutOfMemory(static_cast<double>(bytes));
        const auto address = reinterpret_cast<std::uintptr_t>(block);
        auto* const first = static_cast<char*>(block) + (kAlignment - address % kAlignment) % kAlignment;
        data_ = std::unique_ptr<T[], Free>(reinterpret_cast<T*>(first), Free{block});
        size_ = size;
        return bytes;
    }
    std::unique_ptr<T[], Free> data_;
    Index size_ = 0;
};

}  // namespace foxnn
