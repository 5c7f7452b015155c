#include "tools/size_option.h"

#include <fmt/core.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <charconv>
#include <cmath>
#include <functional>

#include "streamer/core/error.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

[[noreturn]] void refuse(std::string_view flag, std::string_view expected, std::string_view found,
                         std::string hint) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("{}: expected {}, found '{}'", flag, expected, printable(found)),
              std::move(hint));
}

// Reads all of `text` as digits; nothing when there is anything else or it does not fit.
template <class T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end || text.empty()) return std::nullopt;
  return value;
}

unsigned suffix_shift(char suffix) {
  switch (suffix) {
    case 'K':
    case 'k':
      return 10;
    case 'M':
    case 'm':
      return 20;
    case 'G':
    case 'g':
      return 30;
    case 'T':
    case 't':
      return 40;
    default:
      return 0;
  }
}

CLI::Option* add_text_option(CLI::App& command, const std::string& flag, const std::string& type,
                             const std::string& description,
                             std::function<void(const std::string&)> read) {
  return command.add_option_function<std::string>(flag, std::move(read), description)
      ->type_name(type);
}

}  // namespace

std::uint64_t parse_byte_size(std::string_view text, std::string_view flag) {
  const unsigned shift = text.empty() ? 0 : suffix_shift(text.back());
  const std::string_view digits = shift == 0 ? text : text.substr(0, text.size() - 1);
  const auto value = parse_whole<std::uint64_t>(digits);
  if (!value || *value == 0 || *value > (UINT64_MAX >> shift)) {
    refuse(flag, "a size such as 256M or 2G", text, fmt::format("{} 256M", flag));
  }
  return *value << shift;
}

ImageSize parse_image_size(std::string_view text, std::string_view flag) {
  const std::size_t cross = text.find_first_of("xX");
  const auto height = parse_whole<std::uint32_t>(text.substr(0, cross));
  const auto width =
      cross == std::string_view::npos ? height : parse_whole<std::uint32_t>(text.substr(cross + 1));
  constexpr std::uint32_t kMaxSidePx = 65535;
  const auto fits = [](const std::optional<std::uint32_t>& side) {
    return side && *side >= 1 && *side <= kMaxSidePx;
  };
  if (!fits(height) || !fits(width)) {
    refuse(flag, "pixels such as 224, or height x width such as 160x224", text,
           fmt::format("{} 224", flag));
  }
  return {.height_px = *height, .width_px = *width};
}

std::uint64_t parse_count(std::string_view text, std::string_view flag, CountRange range) {
  const auto value = parse_whole<std::uint64_t>(text);
  if (!value || *value < range.min || *value > range.max) {
    const std::string expected =
        range.max == UINT64_MAX ? fmt::format("a whole number, at least {}", range.min)
                                : fmt::format("a whole number from {} to {}", range.min, range.max);
    refuse(flag, expected, text, fmt::format("{} {}", flag, range.min));
  }
  return *value;
}

double parse_fraction(std::string_view text, std::string_view flag) {
  const auto value = parse_whole<double>(text);
  if (!value || !std::isfinite(*value) || *value < 0.0 || *value >= 1.0) {
    refuse(flag, "a fraction from 0 to below 1", text, fmt::format("{} 0.1", flag));
  }
  return *value;
}

CLI::Option* add_byte_size_option(CLI::App& command, const std::string& flag, std::uint64_t& value,
                                  const std::string& description) {
  return add_text_option(
      command, flag, "SIZE", description,
      [&value, flag](const std::string& text) { value = parse_byte_size(text, flag); });
}

CLI::Option* add_byte_size_option(CLI::App& command, const std::string& flag,
                                  std::optional<std::uint64_t>& value,
                                  const std::string& description) {
  return add_text_option(
      command, flag, "SIZE", description,
      [&value, flag](const std::string& text) { value = parse_byte_size(text, flag); });
}

CLI::Option* add_image_size_option(CLI::App& command, const std::string& flag,
                                   std::optional<ImageSize>& value,
                                   const std::string& description) {
  return add_text_option(
      command, flag, "PIXELS", description,
      [&value, flag](const std::string& text) { value = parse_image_size(text, flag); });
}

CLI::Option* add_count_option(CLI::App& command, const std::string& flag, std::uint64_t& value,
                              CountRange range, const std::string& description) {
  return add_text_option(
      command, flag, "N", description,
      [&value, flag, range](const std::string& text) { value = parse_count(text, flag, range); });
}

CLI::Option* add_count_option(CLI::App& command, const std::string& flag,
                              std::optional<std::uint64_t>& value, CountRange range,
                              const std::string& description) {
  return add_text_option(
      command, flag, "N", description,
      [&value, flag, range](const std::string& text) { value = parse_count(text, flag, range); });
}

CLI::Option* add_fraction_option(CLI::App& command, const std::string& flag,
                                 std::optional<double>& value, const std::string& description) {
  return add_text_option(
      command, flag, "FRACTION", description,
      [&value, flag](const std::string& text) { value = parse_fraction(text, flag); });
}

}  // namespace penstock::tools
