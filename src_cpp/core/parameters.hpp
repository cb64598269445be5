// The arrays of numbers that a layer learns, and whatever there is one of for each of them: a gradient, an optimizer's
// memory.
#pragma once
#include "core/buffer.hpp"

namespace foxnn {

enum class Part { weights, bias };
constexpr Part kParts[] = {Part::weights, Part::bias};

template <class T>
class Parameters {
  public:
    Buffer<T>& operator[](Part part) { return arrays_[static_cast<int>(part)]; }
    const Buffer<T>& operator[](Part part) const { return arrays_[static_cast<int>(part)]; }

  private:
    Buffer<T> arrays_[std::size(kParts)];
};

}  // namespace foxnn
