// A block of numbers aligned to a cache line and zero at first. Moves, never copies by accident.
#pragma once
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "kernels/table.hpp"

namespace foxnn {

template <class T>
class Buffer {
  public:
    Buffer() = default;
    explicit Buffer(Index size) {
        const std::size_t bytes = allocate(size);
        std::memset(static_cast<void*>(data_.get()), 0, bytes);
    }
    Buffer copy() const {
        Buffer other;
        if (!data_) return other;
        const std::size_t bytes = other.allocate(size_);
        std::memcpy(static_cast<void*>(other.data()), data(), bytes);
        return other;
    }
    // At least `size` numbers, their values unspecified.
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
    static constexpr std::size_t kAlignment = 64;
    struct Free {
        void operator()(T* p) const { ::operator delete(p, std::align_val_t(kAlignment)); }
    };
    // How many bytes that takes.
    std::size_t allocate(Index size) {
        if (size < 0) throw std::bad_alloc();
        const std::size_t bytes = (static_cast<std::size_t>(size) * sizeof(T) / kAlignment + 1) * kAlignment;
        data_.reset(static_cast<T*>(::operator new(bytes, std::align_val_t(kAlignment))));
        size_ = size;
        return bytes;
    }
    std::unique_ptr<T[], Free> data_;
    Index size_ = 0;
};

}  // namespace foxnn
