#include "tools/convert/write/manifest_builder.h"

#include <utility>

namespace penstock::convert {

ManifestBuilder::ManifestBuilder(std::vector<std::string> class_names)
    : tally_(std::move(class_names)) {
  for (std::uint32_t i = 0; i < kNumSplits; ++i) {
    tally_.add_split(std::string(split_name(static_cast<SplitKind>(i))));
  }
}

void ManifestBuilder::add_sample(SplitKind split, const IndexRecord& record) {
  tally_.add_sample(static_cast<std::size_t>(split), record, 0);
}

void ManifestBuilder::add_shard(SplitKind split, ManifestShard shard) {
  tally_.add_shard(static_cast<std::size_t>(split), std::move(shard));
}

Manifest ManifestBuilder::build(std::map<std::string, std::string> conversion,
                                const ShardContribution& all, std::uint64_t num_unlisted) {
  Manifest manifest = tally_.build();
  manifest.num_quarantined = all.reasons.total_quarantined() + num_unlisted;
  manifest.num_reencoded = all.num_reencoded();
  manifest.largest.decode_scratch_bytes = all.largest_scratch_bytes;
  manifest.sample_bytes =
      SampleBytes{.source_bytes = all.source_bytes, .stored_bytes = tally_.stored_bytes()};
  if (all.sums.num_px > 0) {
    const auto mean = all.sums.mean();
    const auto deviation = all.sums.standard_deviation();
    manifest.mean.assign(mean.begin(), mean.end());
    manifest.std.assign(deviation.begin(), deviation.end());
    manifest.pixel_totals = PixelTotals{.num_px = all.sums.num_px,
                                        .sum = all.sums.sum,
                                        .sum_of_squares = all.sums.sum_of_squares,
                                        .sum_of_gray = all.sums.sum_of_gray,
                                        .sum_of_gray_squares = all.sums.sum_of_gray_squares};
    manifest.gray = {.mean = all.sums.gray_mean(), .std = all.sums.gray_standard_deviation()};
  }
  manifest.conversion = std::move(conversion);
  manifest.id = manifest_id(manifest);
  return manifest;
}

}  // namespace penstock::convert
