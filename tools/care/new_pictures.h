// What of a source is new to a dataset: pictures of other names, in its classes and new ones.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "streamer/core/checksum.h"
#include "streamer/shard/manifest.h"
#include "tools/care/add_job.h"

namespace penstock::care {

/// Ends a conversion that has nothing to do.
struct NothingNew {};

class NewPictures {
 public:
  NewPictures(const AddConfig& config, const Manifest& old, convert::ConvertObserver& observer);

  /// Keeps what is new, gives it the dataset's classes, marks it as an addition and draws its splits.
  ///
  /// Errors  NothingNew; InvalidArgument for a class that is new and not wanted, and for rows of an array
  ///         that are there; OutOfMemory where names_there_bytes() does not fit beside two lists of the
  ///         pictures; those of find_names_there()
  /// Memory  24 bytes a picture that is kept, counted in scan.held_bytes
  void keep_new(convert::SourceScan& scan);

  std::uint64_t num_already_there() const noexcept { return num_already_there_; }
  /// Of the dataset, the new ones behind.
  const std::vector<std::string>& class_names() const noexcept { return class_names_; }
  const std::vector<std::string>& new_classes() const noexcept { return new_classes_; }
  /// Archives of the source that were read to their end, as quarantine.csv would name them.
  const std::vector<std::string>& whole_archives() const noexcept { return whole_archives_; }
  /// Of a picture that was kept, as its source stores it.
  std::uint64_t source_bytes(std::string_view name) const;

 private:
  struct KeptPicture {
    Digest128 name;  // its hash
    std::uint64_t source_bytes = 0;
  };

  void check_memory(const convert::SourceScan& scan) const;
  void keep(convert::SourceScan& scan, const std::vector<bool>& is_there,
            const std::vector<std::uint32_t>& class_idx);
  void warn_of_unnamed(std::uint64_t num_unnamed) const;
  [[noreturn]] void refuse_numbered(std::string_view name) const;
  std::vector<std::uint32_t> class_indices(const convert::SourceScan& scan);
  void draw_splits(convert::SourceScan& scan, const convert::SplitRequest& request,
                   const convert::SplitRule& rule) const;

  const AddConfig& config_;
  const Manifest& old_;
  convert::ConvertObserver& observer_;
  std::vector<KeptPicture> kept_;  // sorted by name
  std::vector<std::string> class_names_;
  std::vector<std::string> new_classes_;
  std::vector<std::string> whole_archives_;
  std::uint64_t num_already_there_ = 0;
};

}  // namespace penstock::care
