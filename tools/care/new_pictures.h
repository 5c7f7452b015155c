// What of a source is new to a dataset: pictures of other names, in its classes and new ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "streamer/shard/manifest.h"
#include "tools/care/add_job.h"

namespace penstock::care {

/// Ends a conversion that has nothing to do.
struct NothingNew {};

class NewPictures {
 public:
  /// Reads the names of the dataset. Throws CorruptData, Io.
  NewPictures(const AddConfig& config, const Manifest& old, convert::ConvertObserver& observer);

  /// Keeps what is new, gives it the dataset's classes and draws its splits. Throws NothingNew;
  /// InvalidArgument for a class that is new and not wanted, and for rows of an array that are there.
  void keep_new(convert::SourceScan& scan);

  std::uint64_t num_already_there() const noexcept { return num_already_there_; }
  /// Of the dataset, the new ones behind.
  const std::vector<std::string>& class_names() const noexcept { return class_names_; }
  const std::vector<std::string>& new_classes() const noexcept { return new_classes_; }
  /// Of a picture that was kept, as its source stores it.
  std::uint64_t source_bytes(const std::string& name) const { return source_bytes_.at(name); }

 private:
  void refuse_numbered(std::string_view name) const;
  std::vector<std::uint32_t> class_indices(const convert::SourceScan& scan);
  void draw_splits(convert::SourceScan& scan, const convert::SplitRequest& request,
                   const convert::SplitRule& rule) const;

  const AddConfig& config_;
  const Manifest& old_;
  convert::ConvertObserver& observer_;
  std::unordered_set<std::string> names_there_;
  std::unordered_map<std::string, std::uint64_t> source_bytes_;  // of what is kept, by name
  std::vector<std::string> class_names_;
  std::vector<std::string> new_classes_;
  std::uint64_t num_already_there_ = 0;
};

}  // namespace penstock::care
