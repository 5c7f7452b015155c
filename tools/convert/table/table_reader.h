// Rows of a table of pictures, one at a time: CSV, JSON lines or a list of paths.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tools/convert/reason/reason_code.h"
#include "tools/convert/source/split_rule.h"
#include "tools/convert/table/table_columns.h"
#include "tools/convert/table/text_input.h"

namespace penstock::convert {

struct TableRow {
  std::uint64_t line = 0;  // from 1
  std::string path;        // as it stands in the table
  std::string label;       // empty: none
  std::optional<SplitKind> split;
  std::string fault{};  // what is wrong with it alone; empty: it is in order
  /// Which reason a fault is; nothing: what the row lacks by it, its label or its image.
  std::optional<ReasonCode> fault_reason{};

  void clear() {
    path.clear();
    label.clear();
    split.reset();
    fault.clear();
    fault_reason.reset();
  }
};

enum class TableKind : std::uint8_t {
  kCsv,        // columns by name; comma, semicolon or tab
  kJsonLines,  // one object a line
  kList,       // a path a line; behind a tab or the last space a label
};

class TableReader {
 public:
  virtual ~TableReader() = default;

  /// Reads one row; false at the end. One that cannot be read, where the next ones can, has a fault.
  ///
  /// Errors  CorruptData or InvalidArgument naming the line
  virtual bool next(TableRow& row) = 0;

  virtual TableKind kind() const noexcept = 0;
  /// The columns read so far that are, by role: what a user would have to say.
  virtual std::map<std::string, std::string> columns() const = 0;
  /// "labels.csv:12"
  virtual std::string where(std::uint64_t line) const = 0;
};

/// Tells what a table is: an object on the first line makes JSON lines; the name ending in .csv or
/// .tsv, or a first line with columns of usual names for path and label, CSV; anything else is a list.
TableKind find_table_kind(const std::filesystem::path& path, std::string_view first_bytes,
                          const TableRequest& request);

/// Errors  InvalidArgument for columns that are missing or ambiguous; CorruptData; NotFound; Io
std::unique_ptr<TableReader> open_table(const std::filesystem::path& path,
                                        const TableRequest& request);
/// The same of a text in memory, which outlives the reader.
std::unique_ptr<TableReader> open_table_text(std::string_view text, const std::string& where,
                                             TableKind kind, const TableRequest& request);

}  // namespace penstock::convert
