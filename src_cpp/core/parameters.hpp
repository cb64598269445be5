// The arrays of numbers that a layer learns, and whatever there is one of for each of them: a gradient, an optimizer's
// memory.
#pragma once
#include <iterator>

#include "core/buffer.hpp"

namespace foxnn {

enum class Part { weights, bias, gamma, beta };  // the last two of a normalisation
constexpr Part kParts[] = {Part::weights, Part::bias, Part::gamma, Part::beta};

template <class T>
class Parameters {
  public:
    Buffer<T>& operator[](Part part) { return arrays_[static_cast<int>(part)]; }
    const Buffer<T>& operator[](Part part) const { return arrays_[static_cast<int>(part)]; }

  private:
    Buffer<T> arrays_[std::size(kParts)];
};

}  // namespace foxnn
