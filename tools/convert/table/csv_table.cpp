#include "tools/convert/table/csv_table.h"

#include <fmt/core.h>

#include <utility>

#include "tools/convert/table/split_field.h"

namespace penstock::convert {

CsvTable::CsvTable(TextInput input, const TableRequest& request)
    : input_(std::move(input)), records_(input_, find_delimiter(input_.lookahead())) {
  if (!records_.next(header_)) {
    throw_bad_table(input_.name(), "expected a first line that names the columns, found no line",
                    "path,label");
  }
  if (!records_.fault().empty()) {
    throw_bad_table(input_.where(records_.line()), records_.fault(),
                    "is it a table of paths and labels?");
  }
  const std::string where = input_.where(records_.line());
  const auto need = [&](ColumnRole role, const std::string& asked_for) {
    const auto found = find_column(role, header_, asked_for, where);
    if (!found) refuse_missing_column(role, header_, where);
    return *found;
  };
  path_idx_ = need(ColumnRole::kPath, request.path_column);
  label_idx_ = need(ColumnRole::kLabel, request.label_column);
  split_idx_ = find_column(ColumnRole::kSplit, header_, request.split_column, where);
}

bool CsvTable::next(TableRow& row) {
  if (!records_.next(fields_)) return false;
  row.clear();
  row.line = records_.line();
  row.fault = records_.fault();
  if (row.fault.empty() && fields_.size() != header_.size()) {
    row.fault = fmt::format(
        "expected {} fields as in the first line, found {} (one that holds the delimiter stands in "
        "quotes)",
        header_.size(), fields_.size());
  }
  // Which label is meant is not certain then; the path tells a user which picture.
  if (path_idx_ < fields_.size()) std::swap(row.path, fields_[path_idx_]);
  if (!row.fault.empty()) return true;
  std::swap(row.label, fields_[label_idx_]);
  if (split_idx_) read_split_field(fields_[*split_idx_], row);
  return true;
}

std::map<std::string, std::string> CsvTable::columns() const {
  std::map<std::string, std::string> columns = {{"path_column", header_[path_idx_]},
                                                {"label_column", header_[label_idx_]}};
  if (split_idx_) columns.emplace("split_column", header_[*split_idx_]);
  return columns;
}

}  // namespace penstock::convert
