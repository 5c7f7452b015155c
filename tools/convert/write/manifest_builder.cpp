#include "tools/convert/write/manifest_builder.h"

#include <utility>

namespace penstock::convert {

ManifestBuilder::ManifestBuilder(std::vector<std::string> class_names)
    : tally_(std::move(class_names)) {
  for (std::uint32_t i = 0; i < kNumSplits; ++i) {
    tally_.add_split(std::string(split_name(static_cast<SplitKind>(i))));
  }
}

void ManifestBuilder::add(const ListedPicture& picture, const ImageVerdict& verdict) {
  if (!is_stored(verdict.fate)) return;
  if (verdict.fate == FileFate::kReencoded) ++num_reencoded_;
  IndexRecord record = verdict.record;
  record.class_idx = picture.class_idx;
  tally_.add_sample(static_cast<std::size_t>(*picture.split), record, verdict.decode_scratch_bytes);
  if (picture.split == SplitKind::kTrain) train_sums_.add(verdict.sums);
}

void ManifestBuilder::add_shard(SplitKind split, ManifestShard shard) {
  tally_.add_shard(static_cast<std::size_t>(split), std::move(shard));
}

Manifest ManifestBuilder::build(std::map<std::string, std::string> conversion,
                                std::uint64_t num_quarantined) {
  Manifest manifest = tally_.build();
  manifest.num_quarantined = num_quarantined;
  manifest.num_reencoded = num_reencoded_;
  if (train_sums_.num_px > 0) {
    const auto mean = train_sums_.mean();
    const auto deviation = train_sums_.standard_deviation();
    manifest.mean.assign(mean.begin(), mean.end());
    manifest.std.assign(deviation.begin(), deviation.end());
    manifest.pixel_totals = PixelTotals{.num_px = train_sums_.num_px,
                                        .sum = train_sums_.sum,
                                        .sum_of_squares = train_sums_.sum_of_squares,
                                        .sum_of_gray = train_sums_.sum_of_gray,
                                        .sum_of_gray_squares = train_sums_.sum_of_gray_squares};
    manifest.gray = {.mean = train_sums_.gray_mean(), .std = train_sums_.gray_standard_deviation()};
  }
  manifest.conversion = std::move(conversion);
  manifest.id = manifest_id(manifest);
  return manifest;
}

}  // namespace penstock::convert
