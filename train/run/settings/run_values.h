// Values of a run file as text: sides and numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::train {

struct SidesPx {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
};

/// Reads "96" (a square) or "160x224" (height, then width). Nothing when it is neither.
std::optional<SidesPx> parse_sides_px(std::string_view text);

/// Writes the shortest decimal that reads back equal, always with a point or an exponent: as TOML
/// writes what is no integer.
std::string format_number(double value);

}  // namespace penstock::train
