#include "train/run/run_values.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace penstock::train {
namespace {

constexpr std::string_view kUnits = "KMGT";

char upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

std::optional<std::uint64_t> parse_size_bytes(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const std::size_t unit = kUnits.find(upper(text.back()));
  const bool has_unit = unit != std::string_view::npos;
  const unsigned shift = has_unit ? static_cast<unsigned>(10 * (unit + 1)) : 0;
  if (has_unit) text.remove_suffix(1);
  const auto value = parse_digits<std::uint64_t>(text);
  if (!value || *value == 0 || *value > UINT64_MAX >> shift) return std::nullopt;
  return *value << shift;
}

std::string format_size_bytes(std::uint64_t bytes) {
  std::size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + (unit == 0 ? "" : std::string(1, kUnits[unit - 1]));
}

std::optional<SidesPx> parse_sides_px(std::string_view text) {
  const std::size_t cross = text.find_first_of("xX");
  const auto height = parse_digits<std::uint32_t>(text.substr(0, cross));
  const auto width = cross == std::string_view::npos
                         ? height
                         : parse_digits<std::uint32_t>(text.substr(cross + 1));
  if (!height || !width || *height == 0 || *width == 0) return std::nullopt;
  return SidesPx{*height, *width};
}

std::string format_number(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string format_numbers(std::span<const double> values) {
  std::string text = "[";
  for (const double value : values) {
    if (text.size() > 1) text += ", ";
    text += format_number(value);
  }
  return text + "]";
}

std::string quote_toml(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04X", static_cast<unsigned>(c));
      quoted += escape.data();
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

}  // namespace penstock::train
