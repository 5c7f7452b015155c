// Takes samples out of a dataset by their names: deletion requests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "tools/care/dataset_check.h"
#include "tools/care/manifest_rebuild.h"

namespace penstock::care {

/// What becomes of rows of quarantine.csv, fixed.csv and duplicates.csv that name a sample.
enum class NamedRows : std::uint8_t { kRemoved, kKept };

struct RemoveConfig {
  std::filesystem::path dataset{};
  std::vector<std::string> names{};  // as stored: paths relative to the source
  NamedRows rows = NamedRows::kRemoved;
  SumLimits limits{};  // memory at least 1 MiB

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

struct RemoveSummary {
  std::uint64_t num_removed = 0;
  std::uint64_t num_rows_removed = 0;         // of the lists, whether or not a sample has the name
  std::vector<std::string> not_found;         // among the samples; in the order given
  std::vector<std::string> rewritten_shards;  // old names; they are gone
  std::vector<std::string> other_files;       // that may still hold what was removed: *.damaged
  std::uint64_t num_samples = 0;              // that are left
  /// The manifest no longer says what the files took that the samples were made from: of one sample alone
  /// that is not known.
  bool are_source_bytes_lost = false;
};

/// One name a line; a line feed ends it, a carriage return before that is dropped, empty lines too.
std::vector<std::string> read_name_list(const std::filesystem::path& file);

/// Removes. The shards concerned are written anew under new names, the manifest is switched by one
/// rename, then the old shards are removed. Statistics are those of what is left, exactly: the sums
/// of what goes are taken off, or all is decoded where the manifest has no sums. Rows of quarantine.csv,
/// fixed.csv and duplicates.csv that name what is removed go too, as the file or as the one that it is a
/// copy of; each list is published whole, after the manifest.
///
/// Errors  those of Dataset::open(); InvalidArgument when the dataset keeps no names, or nothing would
///         be left; CorruptData when a shard concerned is damaged (repair comes first); Io; Stopped
RemoveSummary remove_samples(const RemoveConfig& config, const CheckListener& listener,
                             const std::stop_token& stop);

}  // namespace penstock::care
