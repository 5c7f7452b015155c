// Refusing a setting out of its range, in one wording.
#pragma once

#include <cstdint>
#include <string_view>

namespace penstock {

/// A whole-number setting and the range it may have.
struct RangeCheck {
  std::string_view owner;  // whose setting: "loader"
  std::string_view field;
  std::uint64_t value = 0;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};

/// Throws InvalidArgument `owner: field: expected LOW to HIGH, found VALUE` when out of range.
void check_range(const RangeCheck& check);

}  // namespace penstock
