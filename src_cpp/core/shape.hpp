// The shape of one sample, or of what a layer makes of it.
#pragma once
#include <initializer_list>
#include <utility>
#include <vector>

#include "core/buffer.hpp"

namespace foxnn {

// Channels come last; a dense layer takes and gives (features,).
class Shape {
  public:
    Shape() = default;
    Shape(std::initializer_list<Index> sizes) : sizes_(sizes) {}
    explicit Shape(std::vector<Index> sizes) : sizes_(std::move(sizes)) {}
    const std::vector<Index>& sizes() const { return sizes_; }
    bool operator==(const Shape& other) const { return sizes_ == other.sizes_; }
    bool operator!=(const Shape& other) const { return !(*this == other); }
    // How many numbers a sample of that shape has.
    Index size() const {
        Index n = 1;
        for (const Index length : sizes_) n = product(n, length);
        return n;
    }

  private:
    std::vector<Index> sizes_;
};

}  // namespace foxnn
