#include "tools/size_option.h"

#include <fmt/core.h>

#include <cmath>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "tools/command.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

[[noreturn]] void refuse(std::string_view flag, std::string_view expected, std::string_view found,
                         std::string hint) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("{}: expected {}, found '{}'", flag, expected, printable(found)),
              std::move(hint));
}

}  // namespace

std::uint64_t parse_byte_size(std::string_view text, std::string_view flag) {
  const auto bytes = parse_size_bytes(text);
  if (!bytes) refuse(flag, "a size such as 256M or 2G", text, fmt::format("{} 256M", flag));
  return *bytes;
}

std::uint64_t parse_count(std::string_view text, std::string_view flag, CountRange range) {
  const auto value = parse_digits<std::uint64_t>(text);
  if (!value || *value < range.min || *value > range.max) {
    const std::string expected =
        range.max == UINT64_MAX ? fmt::format("a whole number, at least {}", range.min)
                                : fmt::format("a whole number from {} to {}", range.min, range.max);
    refuse(flag, expected, text, fmt::format("{} {}", flag, range.min));
  }
  return *value;
}

double parse_fraction(std::string_view text, std::string_view flag) {
  const auto value = parse_digits<double>(text);
  if (!value || !std::isfinite(*value) || *value < 0.0 || *value >= 1.0) {
    refuse(flag, "a fraction from 0 to below 1", text, fmt::format("{} 0.1", flag));
  }
  return *value;
}

void add_byte_size_option(CLI::App& command, const std::string& flag, std::uint64_t& value,
                          const std::string& description) {
  add_value(command, {flag, "SIZE", description},
            [&value, flag](const std::string& text) { value = parse_byte_size(text, flag); });
}

void add_count_option(CLI::App& command, const std::string& flag, std::uint64_t& value,
                      CountRange range, const std::string& description) {
  add_value(command, {flag, "N", description}, [&value, flag, range](const std::string& text) {
    value = parse_count(text, flag, range);
  });
}

void add_fraction_option(CLI::App& command, const std::string& flag, std::optional<double>& value,
                         const std::string& description) {
  add_value(command, {flag, "FRACTION", description},
            [&value, flag](const std::string& text) { value = parse_fraction(text, flag); });
}

}  // namespace penstock::tools
