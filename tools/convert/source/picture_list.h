// The pictures of a conversion as far as metadata tell: what every source lists, and what shards are
// planned from. Packed, because there may be hundreds of millions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/convert/source/split_rule.h"

namespace penstock::convert {

/// One picture of a source, not yet opened.
struct ListedPicture {
  /// What it is called in the dataset, in reports and for the hash that draws its split: a path relative
  /// to the source, as bytes, '/' between names. Different for each picture of a list.
  std::string_view name;
  std::uint64_t size_bytes = 0;  // as stored in the source
  /// Where it lies in its source: an offset, a row. Only the source knows what it means.
  std::uint64_t place = 0;
  /// When it was written last, in ns since 1970 as the file system counts; 0 where that is not known.
  std::int64_t modified_ns = 0;
  std::uint32_t class_idx = 0;
  /// Nothing: the split is drawn.
  std::optional<SplitKind> split;
};

/// Borrowed names live as long as the list and until the next add().
class PictureList {
 public:
  void reserve(std::size_t num_pictures, std::uint64_t name_bytes);
  /// Copies the name.
  void add(const ListedPicture& picture);
  void set_split(std::size_t picture_idx, SplitKind split) { splits_[picture_idx] = split; }

  void set_class(std::size_t picture_idx, std::uint32_t class_idx) {
    class_idxs_[picture_idx] = class_idx;
  }

  std::size_t size() const noexcept { return sizes_bytes_.size(); }
  bool empty() const noexcept { return sizes_bytes_.empty(); }
  ListedPicture operator[](std::size_t picture_idx) const noexcept;
  std::string_view name(std::size_t picture_idx) const noexcept;

  std::uint64_t total_bytes() const noexcept { return total_bytes_; }
  /// Of the list itself.
  std::uint64_t memory_bytes() const noexcept;

 private:
  std::string names_;  // one after another, without anything between
  std::vector<std::uint64_t> name_ends_;
  std::vector<std::uint64_t> sizes_bytes_;
  std::vector<std::uint64_t> places_;
  std::vector<std::int64_t> modified_ns_;
  std::vector<std::uint32_t> class_idxs_;
  std::vector<std::optional<SplitKind>> splits_;
  std::uint64_t total_bytes_ = 0;
};

}  // namespace penstock::convert
