#include "tools/care/manifest_rebuild.h"

#include <deque>

#include "streamer/core/usable_cores.h"
#include "streamer/read/decoder_set.h"
#include "streamer/shard/manifest_tally.h"
#include "streamer/shard/shard_file.h"
#include "tools/care/decode_check.h"

namespace penstock::care {
namespace {

namespace fs = std::filesystem;

std::uint64_t scratch_bytes(const IndexRecord& record) {
  return decode_price(stored_info(record), {.region = {0, 0, record.width_px, record.height_px},
                                            .decode_scale = 1,
                                            .channels = 3})
      .scratch_bytes;
}

void state_statistics(Manifest& manifest, const convert::PixelSums& sums) {
  if (sums.num_px == 0) return;
  const auto mean = sums.mean();
  const auto deviation = sums.standard_deviation();
  manifest.mean.assign(mean.begin(), mean.end());
  manifest.std.assign(deviation.begin(), deviation.end());
  manifest.gray = {.mean = sums.gray_mean(), .std = sums.gray_standard_deviation()};
  manifest.pixel_totals = PixelTotals{.num_px = sums.num_px,
                                      .sum = sums.sum,
                                      .sum_of_squares = sums.sum_of_squares,
                                      .sum_of_gray = sums.sum_of_gray,
                                      .sum_of_gray_squares = sums.sum_of_gray_squares};
}

}  // namespace

Manifest rebuild_manifest(const fs::path& folder, const ManifestFacts& facts) {
  ManifestTally tally(facts.class_names);
  for (std::size_t idx = 0; idx < facts.splits.size(); ++idx) {
    tally.add_split(facts.splits[idx].name);
    for (const ManifestShard& shard : facts.splits[idx].shards) {
      const ShardFile open = ShardFile::open(folder / shard.file);
      open.scan_index([&](std::uint64_t, std::span<const IndexRecord> records) {
        for (const IndexRecord& record : records) {
          tally.add_sample(idx, record, scratch_bytes(record));
        }
      });
      tally.add_shard(idx, shard);
    }
  }
  Manifest manifest = tally.build();
  manifest.conversion = facts.conversion;
  manifest.num_quarantined = facts.num_quarantined;
  manifest.num_reencoded = facts.num_reencoded;
  manifest.duplicates = facts.duplicates;
  manifest.near_duplicates = facts.near_duplicates;
  if (facts.source_bytes) {
    manifest.sample_bytes =
        SampleBytes{.source_bytes = *facts.source_bytes, .stored_bytes = tally.stored_bytes()};
  }
  if (facts.train_sums) state_statistics(manifest, *facts.train_sums);
  manifest.id = manifest_id(manifest);
  return manifest;
}

convert::PixelSums sum_pixels(const fs::path& folder, const ManifestSplit& split,
                              const SumLimits& limits, const CheckListener& listener,
                              const std::stop_token& stop) {
  std::deque<CareShard> shards;  // their places stay
  std::deque<std::vector<std::uint8_t>> all_of_each;
  std::vector<DecodeItem> items;
  std::vector<std::string> ignored;
  CheckProgress progress;
  for (const ManifestShard& shard : split.shards) {
    shards.push_back(CareShard::open(folder / shard.file, ignored));
    all_of_each.emplace_back(shards.back().num_samples(), std::uint8_t{1});
    items.push_back({.shard = &shards.back(), .is_wanted = all_of_each.back()});
    progress.num_samples += shards.back().num_samples();
  }
  const unsigned num_threads = limits.num_jobs == 0 ? num_usable_cores() : limits.num_jobs;
  convert::PixelSums sums;
  decode_samples(
      items, {.num_threads = num_threads, .memory_bytes = limits.memory_bytes},
      [&](std::uint64_t num_decoded) {
        progress.num_decoded = num_decoded;
        listener(progress);
      },
      stop, &sums);
  return sums;
}

convert::PixelSums sums_of(const PixelTotals& totals) {
  return {.num_px = totals.num_px,
          .sum = totals.sum,
          .sum_of_squares = totals.sum_of_squares,
          .sum_of_gray = totals.sum_of_gray,
          .sum_of_gray_squares = totals.sum_of_gray_squares};
}

void subtract(convert::PixelSums& sums, const convert::PixelSums& less) {
  sums.num_px -= less.num_px;
  for (std::size_t c = 0; c < 3; ++c) {
    sums.sum[c] -= less.sum[c];
    sums.sum_of_squares[c] -= less.sum_of_squares[c];
  }
  sums.sum_of_gray -= less.sum_of_gray;
  sums.sum_of_gray_squares -= less.sum_of_gray_squares;
}

}  // namespace penstock::care
