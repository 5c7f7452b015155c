#include "streamer/core/utf8.h"

namespace penstock {
namespace {

constexpr bool lies_in(unsigned value, unsigned low, unsigned high) noexcept {
  return value >= low && value <= high;
}

}  // namespace

std::size_t utf8_character_bytes(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t offset) {
    return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0u;
  };
  const auto is_tail = [&](std::size_t offset) { return lies_in(byte(offset), 0x80, 0xBF); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (lies_in(first, 0xC2, 0xDF)) return is_tail(1) ? 2 : 0;
  if (lies_in(first, 0xE0, 0xEF)) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return lies_in(byte(1), low, high) && is_tail(2) ? 3 : 0;
  }
  if (lies_in(first, 0xF0, 0xF4)) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return lies_in(byte(1), low, high) && is_tail(2) && is_tail(3) ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t num_bytes = utf8_character_bytes(text, at);
    if (num_bytes == 0) return false;
    at += num_bytes;
  }
  return true;
}

std::size_t visible_character_bytes(std::string_view text, std::size_t at) noexcept {
  const std::size_t length = utf8_character_bytes(text, at);
  const auto byte = [&](std::size_t offset) {
    return static_cast<unsigned char>(text[at + offset]);
  };
  if (length == 1 && (byte(0) < 0x20 || byte(0) == 0x7F)) return 0;
  if (length == 2 && byte(0) == 0xC2 && byte(1) < 0xA0) return 0;
  return length;
}

}  // namespace penstock
