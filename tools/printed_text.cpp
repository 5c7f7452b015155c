#include "tools/printed_text.h"

#include <charconv>
#include <system_error>

namespace penstock::tools {
namespace {

constexpr std::size_t kHexEscapeBytes = 4;  // \xNN

std::optional<char> escaped_byte(std::string_view at) {
  if (at.size() < kHexEscapeBytes || at[1] != 'x') return std::nullopt;
  unsigned value = 0;
  const char* const end = at.data() + kHexEscapeBytes;
  const auto [stop, error] = std::from_chars(at.data() + 2, end, value, 16);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return static_cast<char>(value);
}

}  // namespace

std::optional<std::string> text_from_printed(std::string_view printed) {
  std::string text;
  for (std::size_t at = 0; at < printed.size();) {
    if (printed[at] != '\\') {
      text += printed[at++];
    } else if (at + 1 < printed.size() && printed[at + 1] == '\\') {
      text += '\\';
      at += 2;
    } else if (const std::optional<char> byte = escaped_byte(printed.substr(at))) {
      text += *byte;
      at += kHexEscapeBytes;
    } else {
      return std::nullopt;
    }
  }
  return text;
}

}  // namespace penstock::tools
