// Records of a CSV text, one at a time. Knows fields, not what they mean.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/convert/table/text_input.h"

namespace penstock::convert {

/// Returns which of comma, semicolon and tab separates fields: the one found most often in the first
/// line outside of quotes (of two the rarer in names: tab, semicolon); comma when there is none.
char find_delimiter(std::string_view text);

/// Most fields of a record.
inline constexpr std::size_t kMaxFields = 4096;

/// Source  RFC 4180, with any of the three line ends; a quote within an unquoted field is a letter.
///         Empty lines are passed over.
class CsvReader {
 public:
  /// `input` outlives it.
  CsvReader(TextInput& input, char delimiter) : input_(input), delimiter_(delimiter) {}

  /// Reads one record; false at the end. Throws CorruptData naming the line where nothing behind it is
  /// certain: a quote that is not closed, a quoted field that goes on above kMaxLineBytes, text behind a
  /// closing quote, a zero byte.
  bool next(std::vector<std::string>& fields);

  /// Why the last record is not whole, its end all the same known: above kMaxLineBytes or kMaxFields.
  /// Empty: it is.
  const std::string& fault() const noexcept { return fault_; }

  /// The line that the last record began in, from 1.
  std::uint64_t line() const noexcept { return line_; }

 private:
  enum class After { kField, kRecord };

  After read_field(std::string& field);
  void read_quoted(std::string& field);
  void add_plain(std::string& field, int byte);
  void add_quoted(std::string& field, int byte);
  bool has_room(int byte);

  TextInput& input_;
  char delimiter_;
  std::uint64_t line_ = 1;
  std::size_t num_bytes_ = 0;  // of the record
  std::string fault_;
  std::string beyond_;  // a field that is one too many
};

}  // namespace penstock::convert
