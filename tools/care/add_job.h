// New samples for a dataset: SOURCE is converted beside it, its shards join, the manifest is switched.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/care/manifest_rebuild.h"
#include "tools/convert/convert_job.h"

namespace penstock::care {

enum class NewClasses : std::uint8_t { kRefused, kAppended };

struct AddConfig {
  std::filesystem::path dataset{};
  std::filesystem::path source{};
  /// What SOURCE is, as ConvertConfig says.
  convert::LayoutChoice layout = convert::LayoutChoice::kAuto;
  std::filesystem::path labels{};
  std::filesystem::path class_names_file{};
  /// Fractions and seed; nothing set: those that the dataset was converted with.
  std::optional<double> validation_fraction = std::nullopt;
  std::optional<double> test_fraction = std::nullopt;
  std::optional<std::uint64_t> seed = std::nullopt;
  /// What to do about a class that the dataset does not have. Appended ones get the next indices, so
  /// that those of before stay.
  NewClasses new_classes = NewClasses::kRefused;
  SumLimits limits{};  // of the conversion too, its memory at least kLeastMemoryBytes

  /// Throws as ConvertConfig::validate() does, for what can be known before the dataset is opened.
  void validate() const;
};

struct AddSummary {
  std::uint64_t num_added = 0;
  std::uint64_t num_already_there = 0;  // of the same name: left out
  std::uint64_t num_quarantined = 0;
  std::uint64_t num_returned = 0;    // that were in quarantine.csv before
  std::uint64_t num_old_copies = 0;  // stored as the bytes of a sample of before; kept or not
  /// The same where one of the two has no name: added, whatever the policies say.
  std::uint64_t num_unnamed_copies = 0;
  std::vector<std::string> new_classes;
  std::vector<std::string> new_shards;
  std::uint64_t num_samples = 0;  // of the dataset now
};

/// Adds. Shards that were there are not touched; whoever has the dataset open goes on with what it
/// was. A picture whose name is in the dataset already is left out, so the same SOURCE, with damaged
/// files mended, brings what is new alone. Statistics are those of all, exactly.
///
/// Errors  those of convert_folder() and Dataset::open(); InvalidArgument for a class that is new and
///         not wanted; AlreadyExists when something else lies in adding_folder()
/// Memory  config.limits, as a conversion: the dataset's names are read a shard at a time, and what is
///         held of the new pictures beside it, 24 bytes each, counts. When the shards are joined, 8 bytes
///         a sample of the dataset
AddSummary add_to_dataset(const AddConfig& config, convert::ConvertObserver& observer,
                          const std::stop_token& stop);

}  // namespace penstock::care
