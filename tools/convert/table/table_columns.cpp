#include "tools/convert/table/table_columns.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <vector>

#include "streamer/core/error.h"
#include "tools/convert/ascii_case.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

using Names = std::vector<std::string_view>;

// Names that leave no doubt, and names that are taken when there is none of those.
std::array<Names, 2> usual_names(ColumnRole role) {
  switch (role) {
    case ColumnRole::kPath:
      return {Names{"path", "file", "filename", "file_name", "filepath", "file_path", "image",
                    "image_path", "image_file", "image_name", "img", "img_path"},
              Names{"id", "image_id", "img_id", "name"}};
    case ColumnRole::kLabel:
      return {Names{"label", "class", "category", "class_name", "label_name", "category_name"},
              Names{"target", "class_id", "label_id", "category_id", "class_idx", "y"}};
    case ColumnRole::kSplit:
      return {Names{"split", "subset", "set", "partition"}, Names{}};
  }
  return {};
}

// "File Name" and "file-name" are file_name.
std::string plain_name(std::string_view column) {
  while (!column.empty() && column.front() == ' ') column.remove_prefix(1);
  while (!column.empty() && column.back() == ' ') column.remove_suffix(1);
  std::string name = ascii_lower(column);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
  return name;
}

std::string list_columns(std::span<const std::string> columns) {
  constexpr std::size_t kMaxListed = 16;
  std::string text;
  for (std::size_t i = 0; i < std::min(columns.size(), kMaxListed); ++i) {
    text += (i == 0 ? "" : ", ") + tools::printable(columns[i]);
  }
  if (columns.size() > kMaxListed) text += fmt::format(" and {} more", columns.size() - kMaxListed);
  return text;
}

std::string flag_of(ColumnRole role) {
  return fmt::format("--{}-column", column_role_name(role));
}

}  // namespace

std::string_view column_role_name(ColumnRole role) {
  switch (role) {
    case ColumnRole::kPath:
      return "path";
    case ColumnRole::kLabel:
      return "label";
    case ColumnRole::kSplit:
      return "split";
  }
  return "";
}

std::optional<std::size_t> find_column(ColumnRole role, std::span<const std::string> columns,
                                       const std::string& asked_for, const std::string& where) {
  if (!asked_for.empty()) {
    const auto found = std::find(columns.begin(), columns.end(), asked_for);
    if (found != columns.end()) return static_cast<std::size_t>(found - columns.begin());
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("table: {}: expected a column '{}', found {}", where,
                            tools::printable(asked_for), list_columns(columns)),
                flag_of(role) + " takes one of these");
  }
  for (const Names& names : usual_names(role)) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (std::find(names.begin(), names.end(), plain_name(columns[i])) != names.end()) {
        found.push_back(i);
      }
    }
    if (found.size() == 1) return found.front();
    if (found.size() > 1) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("table: {}: expected one column for the {}, found {} and {} among {}",
                              where, column_role_name(role), tools::printable(columns[found[0]]),
                              tools::printable(columns[found[1]]), list_columns(columns)),
                  flag_of(role) + " says which");
    }
  }
  return std::nullopt;
}

void refuse_missing_column(ColumnRole role, std::span<const std::string> columns,
                           const std::string& where) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("table: {}: expected a column for the {}, found {}", where,
                          column_role_name(role), list_columns(columns)),
              flag_of(role) + " NAME says which; the first line names the columns");
}

}  // namespace penstock::convert
