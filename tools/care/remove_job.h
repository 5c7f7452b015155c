// Takes samples out of a dataset by their names: deletion requests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/care/dataset_check.h"
#include "tools/care/manifest_rebuild.h"
#include "tools/care/name_requests.h"

namespace penstock::care {

/// What becomes of rows of quarantine.csv, fixed.csv and duplicates.csv that name a sample.
enum class NamedRows : std::uint8_t { kRemoved, kKept };

struct RemoveConfig {
  std::filesystem::path dataset{};
  std::vector<std::string> names{};  // as NameRequests takes them
  NamedRows rows = NamedRows::kRemoved;
  SumLimits limits{};  // memory at least 1 MiB

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

struct RemoveSummary {
  std::uint64_t num_removed = 0;
  std::uint64_t num_removed_before = 0;  // by a removal that was cut short and is finished now
  std::uint64_t num_rows_removed = 0;    // of the lists, whether or not a sample has the name
  std::vector<std::string>
      not_found;  // neither as a sample nor in a list; as and in the order given
  std::vector<std::string> rewritten_shards;  // old names; they are gone
  /// What lies in the dataset's folder or beside it, is no part of the dataset and may hold what was asked
  /// for: shards that nobody names, *.damaged, DATASET.adding and its like.
  std::vector<std::string> other_files;
  std::uint64_t num_samples = 0;  // that are left
  /// Splits of which no sample is left. Without "train" there are no statistics.
  std::vector<std::string> emptied_splits;
  /// The manifest no longer says what the files took that the samples were made from: of one sample alone
  /// that is not known.
  bool are_source_bytes_lost = false;

  /// Every name was found, and nothing is left of it as far as can be told.
  bool is_complete() const noexcept { return not_found.empty() && other_files.empty(); }
};

/// Removes. The shards concerned are written anew under new names, the manifest is switched by one
/// rename, then the old shards are removed. Statistics are those of what is left, exactly: the sums
/// of what goes are taken off, or all is decoded where the manifest has no sums. Rows of quarantine.csv,
/// fixed.csv and duplicates.csv that name what is removed go too, as the file or as the one that it is a
/// copy of. It is made whole or not at all; one that was cut short is ended first (dataset_change.h).
///
/// Errors  those of Dataset::open(); InvalidArgument when the dataset keeps no names, or nothing would
///         be left; CorruptData when a shard concerned is damaged (repair comes first); Io; Stopped
RemoveSummary remove_samples(const RemoveConfig& config, const CheckListener& listener,
                             const std::stop_token& stop);

}  // namespace penstock::care
