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

struct RemoveConfig {
  std::filesystem::path dataset{};
  std::vector<std::string> names{};  // as stored: paths relative to the source
  SumLimits limits{};
};

struct RemoveSummary {
  std::uint64_t num_removed = 0;
  std::vector<std::string> not_found;         // in the order given
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
/// of what goes are taken off, or all is decoded where the manifest has no sums.
///
/// Errors  those of Dataset::open(); InvalidArgument when the dataset keeps no names, or nothing would
///         be left; CorruptData when a shard concerned is damaged (repair comes first); Io; Stopped
RemoveSummary remove_samples(const RemoveConfig& config, const CheckListener& listener,
                             const std::stop_token& stop);

}  // namespace penstock::care
