// A text read piece by piece, from a file or from memory, so that a table may be larger than memory.
// Knows lines, not what is in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/file.h"

namespace penstock::convert {

/// Longest line or CSV record: far above any path and label, far below memory.
inline constexpr std::size_t kMaxLineBytes = 1u << 20;
inline constexpr const char* kTooLongLine = "expected at most 1 MiB in a line, found more";

/// A byte-order mark of UTF-8 is passed over.
///
/// Errors  CorruptData for UTF-16; Io
class TextInput {
 public:
  explicit TextInput(const std::filesystem::path& path);
  /// Reads `text`, which outlives it.
  TextInput(std::string_view text, std::string where);

  /// Returns the next byte, or -1 at the end.
  int get();
  int peek();

  /// Reads up to the end of the line (LF, CR LF or CR), which is left out. Returns false at the end.
  /// Throws CorruptData for a line above kMaxLineBytes and for a NUL byte.
  bool read_line(std::string& line);
  /// The same, but passes over a line that is too long: `line` is then empty.
  bool read_line(std::string& line, bool& is_too_long);

  /// The text from here on, as far as it is in memory: at least 64 KiB or all that is left.
  std::string_view lookahead();

  /// Number of the line that the next byte is in, from 1.
  std::uint64_t line() const noexcept { return line_; }
  /// Names a line in messages: "labels.csv:12".
  std::string where(std::uint64_t line) const;
  const std::string& name() const noexcept { return name_; }

 private:
  void skip_byte_order_mark();
  bool refill();

  UniqueFd file_;  // none: all of the text is in rest_
  std::filesystem::path path_;
  std::string name_;
  std::vector<char> buffer_;
  std::string_view rest_;
  std::uint64_t offset_ = 0;  // of what comes after rest_, in the file
  std::uint64_t line_ = 1;
};

/// Throws CorruptData: `where: expected X, found Y`.
[[noreturn]] void throw_bad_table(const std::string& where, const std::string& expected_and_found,
                                  std::string hint);

}  // namespace penstock::convert
