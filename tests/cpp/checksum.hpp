// Fowler, Noll and Vo's checksum, in the form 1a.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

class Checksum {
  public:
    void add(const void* data, std::size_t size) {
        for (std::size_t i = 0; i < size; i++)
            sum_ = (sum_ ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3u;
    }
    template <class T>
    void add(const std::vector<T>& numbers) {
        add(numbers.data(), numbers.size() * sizeof(T));
    }
    std::string text() const {
        char text[17];
        std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(sum_));
        return text;
    }

  private:
    std::uint64_t sum_ = 0xcbf29ce484222325u;
};
