// Reads classes and splits out of a folder's shape. Knows paths only, no files.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/convert/source/folder_scan.h"
#include "tools/convert/source/split_rule.h"

namespace penstock::convert {

enum class LayoutKind : std::uint8_t {
  kClassFolders,  // SOURCE/<class>/...
  kSplitFolders,  // SOURCE/<split>/<class>/...
};

/// Where one scanned file belongs.
struct PlacedFile {
  std::uint32_t file_idx = 0;  // in FolderScan::files
  std::uint32_t class_idx = 0;
  SplitKind split = SplitKind::kTrain;
};

struct DatasetLayout {
  LayoutKind kind = LayoutKind::kClassFolders;
  std::vector<std::string> class_names;  // sorted by bytes; their place is the class index
  std::vector<PlacedFile> files;
  std::uint64_t num_outside = 0;  // files that lie in no class folder
  std::vector<std::string> warnings;

  /// Says in words what was seen: "class folders", "split folders (train, val) of class folders".
  std::string description;
};

/// What the user asked for; nothing set: the defaults of SplitRule for class folders, and split
/// folders as they are.
struct SplitRequest {
  std::optional<double> validation_fraction = std::nullopt;
  std::optional<double> test_fraction = std::nullopt;
  std::uint64_t seed = 0;
};

/// Returns the split that a folder's name stands for, in any case: train; val, valid, validation;
/// test, testing.
std::optional<SplitKind> split_of_folder_name(const std::string& name);

/// Returns the name of a class in the dataset, which is UTF-8: bytes that are not become \xNN.
std::string stored_class_name(const std::string& folder_name);

/// Finds classes and splits. `where` names the source in messages.
///
/// Errors  InvalidArgument: no files, no class folders, class lists that differ between splits,
///         two classes that would have one name in the dataset, split folders mixed with others, a
///         fraction asked for beside a split folder
DatasetLayout find_layout(const FolderScan& scan, const SplitRequest& request,
                          const std::string& where);

}  // namespace penstock::convert
