// What a user says of a source.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/row_match.h"
#include "tools/convert/source/spool_file.h"
#include "tools/convert/table/table_columns.h"

namespace penstock::convert {

/// Which of CIFAR-100's two labels is learned.
enum class CifarLabel : std::uint8_t { kFine, kCoarse };

/// Which axis of pictures [n, ?, ?, ?] holds the channels.
enum class ChannelAxis : std::uint8_t {
  kBySize,  // the one of 1 or 3; refused when both are
  kFirst,   // [n, channels, height, width]
  kLast,    // [n, height, width, channels]
};

/// Pictures and labels as a user names them: FILE, or FILE:NAME of an array in .npz or HDF5.
struct ArrayFiles {
  std::string images;
  std::string labels;  // empty: in the same file, by the usual names

  friend bool operator==(const ArrayFiles&, const ArrayFiles&) = default;
};

/// What becomes of the splits of a dataset that is converted again.
enum class DatasetSplits : std::uint8_t { kKept, kDrawnAnew };

struct SourceRequest {
  std::filesystem::path path{};  // empty: `arrays` instead
  /// Pairs of arrays; several are told apart in split by their names.
  std::vector<ArrayFiles> arrays{};
  /// Refused where no array has four dimensions.
  ChannelAxis channel_axis = ChannelAxis::kBySize;
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
  // Of a dataset; refused where no source is one.
  std::vector<std::string> classes{};  // those to keep; empty: all
  std::optional<double> fraction{};    // of its samples, above 0 and below 1; nothing: all
  std::uint64_t seed = 0;              // draws that fraction
  DatasetSplits dataset_splits = DatasetSplits::kKept;
  /// What the list of pictures, and what it is made from, may take in memory.
  std::uint64_t list_room_bytes = UINT64_MAX;
};

}  // namespace penstock::convert
