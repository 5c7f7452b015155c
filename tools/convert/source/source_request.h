// What a user says of a source.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/row_match.h"
#include "tools/convert/source/spool_file.h"
#include "tools/convert/table/table_columns.h"

namespace penstock::convert {

/// Which of CIFAR-100's two labels is learned.
enum class CifarLabel : std::uint8_t { kFine, kCoarse };

struct SourceRequest {
  std::filesystem::path path{};
  /// Of class folders, in a folder or in an archive.
  LayoutRequest layout{};
  /// A table of the pictures in the folder `path`: CSV, JSON lines or a list; empty: none.
  std::filesystem::path labels{};
  /// Columns of that table, or of `path` when it is one.
  TableRequest table{};
  UnlabelledRows unlabelled = UnlabelledRows::kQuarantined;
  /// Where the members of compressed archives are kept while they are converted.
  SpoolConfig spool{};
  /// Nothing: the fine one. Refused where the source has no such choice.
  std::optional<CifarLabel> label{};
  /// Names for labels that are numbers, which the labels are held against; empty: none. What else
  /// class_name_file.h does for classes, it does behind the scan.
  std::filesystem::path class_names_file{};
  /// What the list of pictures, and what it is made from, may take in memory.
  std::uint64_t list_room_bytes = UINT64_MAX;
};

}  // namespace penstock::convert
