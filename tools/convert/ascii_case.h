// Letters without regard to case, for names that the program knows: extensions, split folders.
// Knows nothing of other alphabets or of the locale.
#pragma once

#include <string>
#include <string_view>

namespace penstock::convert {

/// Returns `text` with A to Z as a to z; every other byte stays.
inline std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace penstock::convert
