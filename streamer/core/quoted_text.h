// Text of a file in a message: cut where it is long, since a name may have as many bytes as its file.
#pragma once

#include <string>
#include <string_view>

namespace penstock {

/// Returns `text`, or of one longer than 80 bytes as many whole characters as 80 bytes hold and "...".
inline std::string shortened(std::string_view text) {
  constexpr std::size_t kMaxShownBytes = 80;
  if (text.size() <= kMaxShownBytes) return std::string(text);
  const auto continues = [&](std::size_t at) {  // within a character: RFC 3629, section 3
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  std::size_t end = kMaxShownBytes;
  while (end > kMaxShownBytes - 3 && continues(end)) --end;
  return std::string(text.substr(0, continues(end) ? kMaxShownBytes : end)) + "...";
}

/// The same in double quotes. Not `quoted`: std has one, which is found for a std::string.
inline std::string in_quotes(std::string_view text) {
  return "\"" + shortened(text) + "\"";
}

}  // namespace penstock
