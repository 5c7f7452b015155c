// Which column of a table holds the path, which the label, which the split.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace penstock::convert {

/// What the user says of a table; an empty name: the column is known by the usual names.
struct TableRequest {
  std::string path_column{};   // path, file, filename, image; else id, image_id, name
  std::string label_column{};  // label, class, category; else target, class_id
  std::string split_column{};  // split, subset, set

  bool names_columns() const {
    return !path_column.empty() || !label_column.empty() || !split_column.empty();
  }
};

enum class ColumnRole : std::uint8_t { kPath, kLabel, kSplit };

/// "path", "label", "split".
std::string_view column_role_name(ColumnRole role);

/// Returns the place of the column of `role` among `columns`: the one called `asked_for`, or when that is
/// empty the only one with a usual name, in any case and with spaces or hyphens for underscores.
///
/// `where` names the line in messages.
/// Errors  InvalidArgument: two columns of usual names, or none that is called `asked_for`, with the
///         columns listed
std::optional<std::size_t> find_column(ColumnRole role, std::span<const std::string> columns,
                                       const std::string& asked_for, const std::string& where);

/// Throws InvalidArgument with the columns listed.
[[noreturn]] void refuse_missing_column(ColumnRole role, std::span<const std::string> columns,
                                        const std::string& where);

}  // namespace penstock::convert
