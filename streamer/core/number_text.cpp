#include "streamer/core/number_text.h"

#include <array>

namespace penstock {
namespace {

constexpr std::string_view kUnits = "KMGT";

char upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

std::string number_text(double value) {
  std::array<char, 32> digits{};  // 24 are needed: -1.7976931348623157e+308
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

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

}  // namespace penstock
