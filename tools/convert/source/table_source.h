// Pictures of a folder whose classes stand in a table: CSV, JSON lines or a list of paths.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/row_match.h"
#include "tools/convert/table/table_columns.h"

namespace penstock::convert {

enum class TableScope : std::uint8_t {
  kFolder,  // all of the folder is looked through: pictures without a row are found
  kRows,    // only what the rows name is looked up
};

struct TableSourceRequest {
  std::filesystem::path folder{};  // paths in rows are relative to it
  std::filesystem::path table{};
  TableScope scope = TableScope::kFolder;
  TableRequest columns{};
  UnlabelledRows unlabelled = UnlabelledRows::kQuarantined;
  /// What the list of files, and what it is made into, may take in memory.
  std::uint64_t list_room_bytes = UINT64_MAX;
};

/// Lists the pictures of `request`.
///
/// Errors  those of scan_folder(), open_table() and match_rows(); InvalidArgument when no row names a
///         picture; OutOfMemory for a list that is too long
SourceScan scan_table_source(const TableSourceRequest& request, const std::stop_token& stop);

}  // namespace penstock::convert
