// Parses JSON of files that anyone may have written, which could exhaust the stack of whoever walks it, or the
// patience of whoever waits. Included by the files that read JSON, not by those that use what they hold.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace penstock::train {

/// Levels that a value of ours may have; it has a handful.
inline constexpr int kMaxJsonLevels = 32;

struct JsonBounds {
  /// Objects and lists in one another.
  int max_levels = kMaxJsonLevels;
  /// Fields of all objects together. An ordered object finds a field by looking at all.
  std::uint64_t max_fields = std::numeric_limits<std::uint64_t>::max();
};

/// Returns nothing when `text` is no JSON or beyond `bounds`.
///
/// Json  nlohmann::json or nlohmann::ordered_json
template <class Json>
std::optional<Json> parse_bounded_json(std::string_view text, const JsonBounds& bounds) {
  using Event = typename Json::parse_event_t;
  bool is_beyond = false;
  std::uint64_t num_fields = 0;
  Json json = Json::parse(
      text.begin(), text.end(),
      [&](int depth, Event event, Json&) {
        const bool opens = event == Event::object_start || event == Event::array_start;
        if (opens && depth >= bounds.max_levels) is_beyond = true;
        if (event == Event::key && ++num_fields > bounds.max_fields) is_beyond = true;
        return !is_beyond;  // what is beyond is left out as it comes
      },
      false);
  if (json.is_discarded() || is_beyond) return std::nullopt;
  return json;
}

}  // namespace penstock::train
