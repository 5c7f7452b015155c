// Under which name a sample comes back as a file. Knows texts, no files.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace penstock::care {

/// Whether `name` is a path that stays within its folder and that a file system takes: relative, no
/// empty part, no "." or "..", no zero byte, at most 255 bytes a part and 3072 in all.
bool is_safe_name(std::string_view name) noexcept;

/// Whether one of the folders in `name` is called as the class is stored: then the path tells it.
bool names_class(std::string_view name, std::string_view class_name);

struct SampleIdentity {
  std::string_view split;
  std::string_view class_name;   // empty: without a label
  std::uint32_t class_idx = 0;   // for class names that no folder can have
  std::uint64_t sample_idx = 0;  // within the split
  std::string_view extension;    // ".jpg"
};

enum class NumberedForm : std::uint8_t { kSplitFolders, kClassFolders };
/// The name for a sample without one that can be used: "train/cat/00000012.jpg" with split folders,
/// else "cat/train-00000012.jpg".
std::string numbered_name(const SampleIdentity& sample, NumberedForm form);

/// Gives each name once, and none that is a folder of another.
class NamesInUse {
 public:
  /// False when the name, or a file where one of its folders should be, was given before.
  bool take(const std::string& name);

 private:
  std::set<std::string, std::less<>> files_;
  std::set<std::string, std::less<>> folders_;
};

}  // namespace penstock::care
