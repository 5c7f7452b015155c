// Values of a run file as text: sizes, sides, numbers, quoted strings.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace penstock::train {

struct SidesPx {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
};

/// Reads all of `text` as one number, as std::from_chars does: decimal, no blanks, no plus sign.
template <class T>
std::optional<T> parse_digits(std::string_view text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// Reads "4096", "256K", "256M", "2G", "1T": powers of 1024, suffix in either case, at least 1.
/// Nothing when it is none of these.
std::optional<std::uint64_t> parse_size_bytes(std::string_view text);
/// Writes what parse_size_bytes() reads, in the largest unit that divides it.
std::string format_size_bytes(std::uint64_t bytes);

/// Reads "96" (a square) or "160x224" (height, then width). Nothing when it is neither.
std::optional<SidesPx> parse_sides_px(std::string_view text);

/// Writes the shortest decimal that reads back equal, always with a point or an exponent.
std::string format_number(double value);
std::string format_numbers(std::span<const double> values);

/// Writes a TOML basic string.
std::string quote_toml(std::string_view text);

}  // namespace penstock::train
