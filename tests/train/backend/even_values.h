// Values by a formula that tests/interop/even_values.py has too: both sides know them without a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::train {

/// Values from -1 to 1 by a name and the place: murmur3's last step over FNV-1a.
class EvenValues {
 public:
  explicit EvenValues(std::string_view name) {
    for (const char c : name) seed_ = (seed_ ^ static_cast<unsigned char>(c)) * 16777619u;
  }
  double at(std::size_t place) const {
    std::uint32_t x = static_cast<std::uint32_t>(place) * 2654435761u + seed_;
    x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
    x = (x ^ (x >> 13)) * 0xC2B2AE35u;
    return (x ^ (x >> 16)) / 0x1p31 - 1;
  }

 private:
  std::uint32_t seed_ = 2166136261u;
};

}  // namespace penstock::train
