// The names of an enumeration's values: all of them, from the switch that names each, and as the text of
// a choice. A value without a name does not compile (-Wswitch), and one with a name is in every list.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace penstock {

/// Returns the names of the values from 0 on, up to the first that has none; `name_of` gives an empty
/// text for what is no value.
template <class Enum, std::string_view (*name_of)(Enum)>
constexpr auto names_in_order() {
  constexpr std::size_t kNumNames = [] {
    std::size_t count = 0;
    while (!name_of(static_cast<Enum>(count)).empty()) ++count;
    return count;
  }();
  std::array<std::string_view, kNumNames> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = name_of(static_cast<Enum>(i));
  return names;
}

/// Returns "sgd, adam or lamb".
inline std::string name_choice(std::span<const std::string_view> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 < names.size() ? ", " : " or ";
    text += names[i];
  }
  return text;
}

}  // namespace penstock
