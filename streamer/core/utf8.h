// UTF-8 in text that comes from outside, where it need not be UTF-8 at all.
#pragma once

#include <cstddef>
#include <string_view>

namespace penstock {

/// Returns the length in bytes of the character at `at`, 0 when none begins there.
///
/// Source  RFC 3629, section 4
std::size_t utf8_character_bytes(std::string_view text, std::size_t at) noexcept;

/// As utf8_character_bytes() for a character that is seen, and 0 for one that a terminal obeys: C0,
/// DEL and C1 (U+0080 to U+009F; U+009B starts what ESC [ starts).
std::size_t visible_character_bytes(std::string_view text, std::size_t at) noexcept;

/// True when all of `text` is characters; so is an empty one.
bool is_utf8(std::string_view text) noexcept;

/// True when all of `text` is characters that are seen.
bool is_visible(std::string_view text) noexcept;

}  // namespace penstock
