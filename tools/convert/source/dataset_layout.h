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

/// What the user says where the shape alone is unclear.
enum class LayoutChoice : std::uint8_t {
  kAuto,
  kClassFolders,  // a folder called "train" is a class too
  kSplitFolders,  // folders beside the split folders are left out
  kFlat,          // classes come from a table, not from folders
};

struct LayoutRequest {
  LayoutChoice choice = LayoutChoice::kAuto;
  /// Names of folders that make a class, 1 to 32: with 2, animals/cat/1.jpg is of class animals/cat.
  std::uint32_t class_depth = 1;
  /// That of a dataset that is added to, not the user's wish: where classes are no folders it is passed over.
  bool inherits_depth = false;

  /// Whether it says something of folders, which a source without any cannot follow.
  bool asks_for_folders() const;
  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// Where one scanned file belongs.
struct PlacedFile {
  std::uint32_t file_idx = 0;  // in FolderScan::files
  std::uint32_t class_idx = 0;
  std::optional<SplitKind> split;  // of its split folder
};

struct DatasetLayout {
  LayoutKind kind = LayoutKind::kClassFolders;
  std::vector<std::string> class_names;  // sorted by bytes; their place is the class index
  std::vector<PlacedFile> files;
  std::uint64_t num_outside = 0;           // files that lie in no class folder
  std::vector<std::string> first_outside;  // the first ten of them
  std::vector<std::string> warnings;

  /// Says in words what was seen: "class folders", "split folders (train, val) of class folders".
  std::string description;
};

/// Returns the split that a folder's name stands for, in any case: train; val, valid, validation;
/// test, testing.
std::optional<SplitKind> split_of_folder_name(const std::string& name);

/// Returns the name of a class in the dataset, which is UTF-8: bytes that are not become \xNN.
std::string stored_class_name(const std::string& folder_name);

/// Finds classes and splits. `where` names the source in messages. Of a scan that is cut the splits' classes
/// may differ: they are united, with a warning.
///
/// Errors  InvalidArgument: no files, no class folders, class lists that differ between splits,
///         two classes that would have one name in the dataset, split folders mixed with others
DatasetLayout find_layout(const FolderScan& scan, const LayoutRequest& request,
                          const std::string& where);

}  // namespace penstock::convert
