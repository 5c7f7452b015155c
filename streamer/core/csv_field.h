// One field of a CSV line.
#pragma once

#include <string>
#include <string_view>

namespace penstock {

/// Quotes a field as RFC 4180 says, where it needs it.
inline std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace penstock
