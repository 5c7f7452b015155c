// Numbers and sizes as text: what a command line and a run file read and write alike.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace penstock {

/// Reads all of `text` as one number, as std::from_chars does: decimal, no blanks, no plus sign.
template <class T>
std::optional<T> parse_digits(std::string_view text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return value;
}

/// Writes the shortest digits that read back as the same number, whatever the locale: "0.1", "3".
std::string number_text(double value);

/// Reads "4096", "256K", "256M", "2G", "1T": powers of 1024, suffix in either case, at least 1.
/// Nothing when it is none of these.
std::optional<std::uint64_t> parse_size_bytes(std::string_view text);
/// Writes what parse_size_bytes() reads, in the largest unit that divides it.
std::string format_size_bytes(std::uint64_t bytes);

}  // namespace penstock
