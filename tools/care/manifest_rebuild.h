// A manifest made from shards that are whole: counts, sizes and statistics of what is in them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"
#include "tools/care/dataset_check.h"
#include "tools/convert/image/pixel_sums.h"

namespace penstock::care {

/// What the shards do not say themselves.
struct ManifestFacts {
  std::vector<std::string> class_names;
  std::vector<ManifestSplit> splits;  // names and shards; counts are made anew
  /// Of the training split's pixels; none: statistics are not known.
  std::optional<convert::PixelSums> train_sums;
  std::map<std::string, std::string> conversion;
  /// Each none: not known.
  std::optional<std::uint64_t> num_quarantined = std::nullopt;
  std::optional<std::uint64_t> num_reencoded = std::nullopt;
  /// Of the files that became the samples; none: not known.
  std::optional<std::uint64_t> source_bytes = std::nullopt;
  std::optional<DuplicateCounts> duplicates = std::nullopt;
  std::optional<DuplicateCounts> near_duplicates = std::nullopt;
};

/// Reads the index of every shard. Splits without samples are left out.
///
/// Errors  those of ShardFile::open() and scan_index()
/// Memory  8 bytes a sample
Manifest rebuild_manifest(const std::filesystem::path& folder, const ManifestFacts& facts);

/// Sums over all pixels of a split, as conversion makes them, by decoding it.
struct SumLimits {
  unsigned num_jobs = 0;
  std::uint64_t memory_bytes = 1ull << 30;
};
convert::PixelSums sum_pixels(const std::filesystem::path& folder, const ManifestSplit& split,
                              const SumLimits& limits, const CheckListener& listener,
                              const std::stop_token& stop);

/// Between the manifest's form and the one that adds up.
convert::PixelSums sums_of(const PixelTotals& totals);

/// Takes `less` off; both counted over the same pixels once.
void subtract(convert::PixelSums& sums, const convert::PixelSums& less);

}  // namespace penstock::care
