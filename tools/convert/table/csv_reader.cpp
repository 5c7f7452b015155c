#include "tools/convert/table/csv_reader.h"

#include <array>

namespace penstock::convert {

char find_delimiter(std::string_view text) {
  constexpr std::array<char, 3> kKnown = {'\t', ';', ','};  // the rarest in a name first
  std::array<std::size_t, 3> counts{};
  bool is_quoted = false;
  for (const char c : text) {
    if (c == '"') is_quoted = !is_quoted;
    if (is_quoted) continue;
    if (c == '\n' || c == '\r') break;
    for (std::size_t i = 0; i < kKnown.size(); ++i) counts[i] += c == kKnown[i] ? 1 : 0;
  }
  std::size_t most = 0;
  for (std::size_t i = 1; i < kKnown.size(); ++i) {
    if (counts[i] > counts[most]) most = i;
  }
  return counts[most] == 0 ? ',' : kKnown[most];
}

constexpr const char* kTooLong = "expected at most 1 MiB in a row, found more";

// Counts a byte of the record.
bool CsvReader::has_room(int byte) {
  if (byte == 0) {
    throw_bad_table(input_.where(line_), "expected text, found a zero byte",
                    "is it a table of text?");
  }
  return ++num_bytes_ <= kMaxLineBytes;
}

void CsvReader::add_quoted(std::string& field, int byte) {
  if (!has_room(byte)) {
    throw_bad_table(input_.where(line_), kTooLong, "is there a quote that is not closed?");
  }
  field += static_cast<char>(byte);
}

void CsvReader::add_plain(std::string& field, int byte) {
  if (has_room(byte)) {
    field += static_cast<char>(byte);
  } else if (fault_.empty()) {
    fault_ = kTooLong;
  }
}

void CsvReader::read_quoted(std::string& field) {
  input_.get();
  while (true) {
    const int byte = input_.get();
    if (byte < 0) {
      throw_bad_table(input_.where(line_), "expected a closing quote, found the end of the file",
                      "is a line missing at the end?");
    }
    if (byte != '"') {
      add_quoted(field, byte);
    } else if (input_.peek() == '"') {
      add_quoted(field, input_.get());
    } else {
      return;
    }
  }
}

CsvReader::After CsvReader::read_field(std::string& field) {
  const bool is_quoted = input_.peek() == '"';
  if (is_quoted) read_quoted(field);
  while (true) {
    const int byte = input_.get();
    if (byte < 0 || byte == '\n') return After::kRecord;
    if (byte == '\r') {
      if (input_.peek() == '\n') input_.get();
      return After::kRecord;
    }
    if (byte == static_cast<unsigned char>(delimiter_)) return After::kField;
    if (is_quoted) {
      throw_bad_table(input_.where(line_),
                      "expected a delimiter behind a closing quote, found text",
                      "a quote within a quoted field is written twice");
    }
    add_plain(field, byte);
  }
}

bool CsvReader::next(std::vector<std::string>& fields) {
  while (input_.peek() == '\n' || input_.peek() == '\r') input_.get();
  if (input_.peek() < 0) return false;
  line_ = input_.line();
  num_bytes_ = 0;
  fault_.clear();
  std::size_t num_fields = 0;
  for (After after = After::kField; after == After::kField;) {
    if (num_fields == kMaxFields) {
      if (fault_.empty()) fault_ = "expected at most 4096 fields in a row, found more";
      beyond_.clear();
      after = read_field(beyond_);
      continue;
    }
    if (fields.size() <= num_fields) fields.emplace_back();
    fields[num_fields].clear();
    after = read_field(fields[num_fields++]);
  }
  fields.resize(num_fields);
  return true;
}

}  // namespace penstock::convert
