// Under which paths the picture of a row may lie. Knows texts, no files.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/convert/table/table_reader.h"

namespace penstock::convert {

/// Returns `path` as a scan would write it: without "./", doubled slashes and what a ".." takes back. Nothing
/// for a path that is absolute, leads out of the folder or is empty.
std::optional<std::string> beneath_path(std::string_view path);

struct RowPath {
  std::string path;   // beneath the folder
  std::string label;  // empty: none
};

/// Lists what a row may mean, best first: its path; of a list's line, also what stands before its last
/// space, with a label behind. Empty for a path that leads out of the folder. In a list the last folder
/// is the label where the line has none.
std::vector<RowPath> row_paths(const TableRow& row, TableKind kind);

/// Extensions that are tried, in lower and in upper case, for a path whose last name has none of them.
std::span<const std::string_view> tried_extensions();
bool has_tried_extension(std::string_view path);

}  // namespace penstock::convert
