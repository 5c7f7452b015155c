#include "tools/convert/image/rgb_colour.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "streamer/core/error.h"
#include "tools/terminal.h"

namespace penstock::convert {

RgbColour parse_colour(std::string_view text, std::string_view flag) {
  if (text == "white") return {255, 255, 255};
  if (text == "black") return {0, 0, 0};
  if (text == "gray") return {128, 128, 128};
  const std::string_view digits = text.substr(text.starts_with('#') ? 1 : 0);
  std::uint32_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  const bool is_hex = digits.size() == 6 && error == std::errc() &&
                      end == digits.data() + digits.size() && digits.front() != '-';
  if (!is_hex) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("{}: expected white, black, gray or a colour such as '#ff8000', found "
                            "'{}'",
                            flag, tools::printable(text)),
                fmt::format("{} white", flag));
  }
  return {static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value)};
}

std::string colour_text(const RgbColour& colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue);
}

}  // namespace penstock::convert
