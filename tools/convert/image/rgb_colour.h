// One colour, as a user writes it: "white", "#ff8000".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::convert {

struct RgbColour {
  std::uint8_t red = 255;
  std::uint8_t green = 255;
  std::uint8_t blue = 255;

  friend bool operator==(const RgbColour&, const RgbColour&) = default;
};

/// Reads "white", "black", "gray", or six hexadecimal digits with or without '#'. Throws
/// InvalidArgument naming `flag`.
RgbColour parse_colour(std::string_view text, std::string_view flag);

/// "#ff8000".
std::string colour_text(const RgbColour& colour);

}  // namespace penstock::convert
