// What one shard adds to the manifest, the report and quarantine.csv beside what its own index tells.
// Kept in the journal, so that a shard need not be made again for it.
#pragma once

#include <array>
#include <cstdint>

#include "tools/convert/duplicate/print_runs.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/image/pixel_sums.h"
#include "tools/convert/source/picture_list.h"
#include "tools/convert/write/listed_rows.h"

namespace penstock::convert {

inline constexpr std::size_t kNumCodecs = 3;

struct ShardContribution {
  PixelSums sums;  // of the training split
  std::uint64_t largest_scratch_bytes = 0;
  /// Of its pictures that one picture's part of --memory sufficed for.
  std::uint64_t largest_picture_bytes = 0;
  std::uint64_t source_bytes = 0;  // of the files that became samples
  std::array<std::uint64_t, kNumCodecs> num_reencoded_by_codec{};  // in the order of Codec
  std::uint64_t num_rewritten = 0;
  std::uint64_t num_in_several_scans = 0;  // that were to be rewritten and could not be
  std::uint64_t num_resized = 0;
  std::uint64_t num_lossy = 0;      // that show other pixels than their files
  std::uint64_t num_optimized = 0;  // of one scan, with restart markers now
  std::uint64_t num_stripped = 0;   // of metadata
  std::uint64_t stripped_bytes = 0;
  std::uint64_t num_text_skipped = 0;
  ReasonCounts reasons;
  ReasonSet met;                          // by any of its pictures, whatever became of them
  std::uint64_t num_listed_as_fixed = 0;  // of which something was lost
  ListedRows rows{};                      // of these, and of the quarantined; one shard's
  PrintRun prints{};                      // of what is stored, and of copies left out; one shard's
  PrintRun looks{};                       // of what is stored, where they are taken; one shard's

  std::uint64_t num_reencoded() const noexcept;
  /// Counts one picture; `rewrites_several_scans` when those of several scans are not to stay so.
  void add(const ListedPicture& picture, const ImageVerdict& verdict, bool rewrites_several_scans);
  /// Adds another shard's, but for its rows, prints and looks.
  void add(const ShardContribution& other);
};

struct ShardCounter {
  const char* name;  // in the journal
  std::uint64_t ShardContribution::*counter;
};

/// Those that are plain sums over shards.
inline constexpr ShardCounter kShardCounters[] = {
    {"source_bytes", &ShardContribution::source_bytes},
    {"num_rewritten", &ShardContribution::num_rewritten},
    {"num_in_several_scans", &ShardContribution::num_in_several_scans},
    {"num_resized", &ShardContribution::num_resized},
    {"num_lossy", &ShardContribution::num_lossy},
    {"num_optimized", &ShardContribution::num_optimized},
    {"num_stripped", &ShardContribution::num_stripped},
    {"stripped_bytes", &ShardContribution::stripped_bytes},
    {"num_text_skipped", &ShardContribution::num_text_skipped},
    {"num_listed_as_fixed", &ShardContribution::num_listed_as_fixed},
};

}  // namespace penstock::convert
