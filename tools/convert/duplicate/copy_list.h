// duplicates.csv: the pictures that are copies of others, with the paths of both.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/file.h"
#include "tools/convert/duplicate/copy_groups.h"

namespace penstock::convert {

inline constexpr const char* kDuplicatesName = "duplicates.csv";
inline constexpr std::string_view kDuplicatesHeader =
    "path,reason,split,class,bytes,other_path,other_split,other_class,distance,fate\n";

/// One line; the class of a picture without a label is empty. `distance` is the number of bits in which
/// the perceptual hashes differ, 0 for the same bytes; `fate` is kept or quarantined.
std::string copy_row(const CopyFinding& finding, unsigned distance_bits,
                     const PictureList& pictures, const std::vector<std::string>& class_names);

/// Writes it row by row, under its name from the first one on: without a row there is no file.
class CopyList {
 public:
  explicit CopyList(std::filesystem::path path) : path_(std::move(path)) {}

  void add(std::string_view row);
  /// Flushes to the disk. Throws Io.
  void finish();

 private:
  void write();

  std::filesystem::path path_;
  UniqueFd file_;
  std::string block_;
  std::uint64_t written_bytes_ = 0;
};

}  // namespace penstock::convert
