// What a user says of a source.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/spool_file.h"

namespace penstock::convert {

/// Which of CIFAR-100's two labels is learned.
enum class CifarLabel : std::uint8_t { kFine, kCoarse };

struct SourceRequest {
  std::filesystem::path path{};
  SplitRequest split{};
  /// Where the members of compressed archives are kept while they are converted.
  SpoolConfig spool{};
  /// Nothing: the fine one. Refused where the source has no such choice.
  std::optional<CifarLabel> label{};
  /// A text of class names, for sources whose labels are numbers; empty: none. Refused elsewhere.
  std::filesystem::path class_names_file{};
  /// What the list of pictures, and what it is made from, may take in memory.
  std::uint64_t list_room_bytes = UINT64_MAX;
};

}  // namespace penstock::convert
