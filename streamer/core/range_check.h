// Refusing a setting that is not as it should be, in one wording.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock {

/// What is wrong with a setting, in words.
struct SettingFault {
  std::string_view owner;  // whose setting: "sgd"
  std::string_view field;
  std::string_view expected;  // "0 to below 1"
  std::string found;
  std::string_view hint = {};  // a line that is right: "momentum = 0.9"
};

/// Throws InvalidArgument `owner: field: expected EXPECTED, found FOUND`.
[[noreturn]] void refuse_setting(const SettingFault& fault);

/// A whole-number setting and the range it may have.
struct RangeCheck {
  std::string_view owner;  // "loader"
  std::string_view field;
  std::uint64_t value = 0;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::string_view hint = {};  // as SettingFault's
};

/// Throws InvalidArgument `owner: field: expected LOW to HIGH, found VALUE` when out of range.
void check_range(const RangeCheck& check);

}  // namespace penstock
