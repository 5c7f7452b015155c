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

void CsvReader::add(std::string& field, int byte) {
  if (byte == 0) {
    throw_bad_table(input_.where(line_), "expected text, found a zero byte",
                    "is it a table of text?");
  }
  if (++num_bytes_ > kMaxLineBytes) {
    throw_bad_table(input_.where(line_), "expected at most 1 MiB in a row, found more",
                    "is there a quote that is not closed?");
  }
  field += static_cast<char>(byte);
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
      add(field, byte);
    } else if (input_.peek() == '"') {
      add(field, input_.get());
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
    add(field, byte);
  }
}

bool CsvReader::next(std::vector<std::string>& fields) {
  while (input_.peek() == '\n' || input_.peek() == '\r') input_.get();
  if (input_.peek() < 0) return false;
  line_ = input_.line();
  num_bytes_ = 0;
  std::size_t num_fields = 0;
  while (true) {
    if (num_fields == kMaxFields) {
      throw_bad_table(input_.where(line_), "expected at most 4096 fields in a row, found more",
                      "is it a table of paths and labels?");
    }
    if (fields.size() <= num_fields) fields.emplace_back();
    fields[num_fields].clear();
    const After after = read_field(fields[num_fields++]);
    if (after == After::kRecord) break;
  }
  fields.resize(num_fields);
  return true;
}

}  // namespace penstock::convert
