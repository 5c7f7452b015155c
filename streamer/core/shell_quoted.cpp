#include "streamer/core/shell_quoted.h"

#include <algorithm>

#include "streamer/core/utf8.h"

namespace penstock {
namespace {

// Means itself in every shell, wherever it stands in a word.
bool is_plain(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_letter || (c >= '0' && c <= '9') ||
         std::string_view("/._-+,:@%").find(c) != std::string_view::npos;
}

std::string in_single_quotes(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + '\'';
}

// Three digits, so that a digit that follows is not taken for a fourth.
std::string octal(unsigned char byte) {
  const auto digit = [&](int shift) { return static_cast<char>('0' + (byte >> shift & 7)); };
  return {'\\', digit(6), digit(3), digit(0)};
}

std::string in_dollar_quotes(std::string_view text) {
  std::string quoted = "$'";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = visible_character_bytes(text, at);
    if (length == 0) {
      quoted += octal(static_cast<unsigned char>(text[at]));
    } else {
      if (text[at] == '\'' || text[at] == '\\') quoted += '\\';
      quoted += text.substr(at, length);
    }
    at += std::max<std::size_t>(1, length);
  }
  return quoted + '\'';
}

}  // namespace

std::string shell_quoted(std::string_view path) {
  // Else it would be read as a flag.
  const std::string word = (path.substr(0, 1) == "-" ? "./" : "") + std::string(path);
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return word;
  return is_visible(word) ? in_single_quotes(word) : in_dollar_quotes(word);
}

}  // namespace penstock
