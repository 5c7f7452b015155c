#include "tools/convert/manifest_builder.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

namespace penstock::convert {
namespace {

// The lower of the two middle values when their number is even.
std::uint32_t median(std::vector<std::uint32_t> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

ManifestBuilder::ManifestBuilder(std::vector<std::string> class_names) {
  manifest_.class_names = std::move(class_names);
  for (std::uint32_t i = 0; i < kNumSplits; ++i) {
    manifest_.splits.push_back(
        {.name = std::string(split_name(static_cast<SplitKind>(i))),
         .num_samples = 0,
         .num_by_class = std::vector<std::uint64_t>(manifest_.class_names.size()),
         .shards = {}});
  }
}

void ManifestBuilder::add_file(const CheckedFile& file) {
  if (!file.is_stored()) return;
  if (file.verdict.fate == FileFate::kReencoded) ++manifest_.num_reencoded;
  ManifestSplit& split = manifest_.splits[static_cast<std::size_t>(file.placed.split)];
  ++split.num_samples;
  ++split.num_by_class[file.placed.class_idx];
  if (file.placed.split == SplitKind::kTrain) train_sums_.add(file.verdict.sums);
  add_size(file.verdict.record);
  add_largest(file);
}

void ManifestBuilder::add_size(const IndexRecord& record) {
  SizePx size{record.width_px, record.height_px};
  constexpr std::uint8_t kFirstTransposed = 5;  // EXIF 5 to 8 exchange the sides
  if (record.orientation >= kFirstTransposed) std::swap(size.width, size.height);
  sizes_px_.push_back(size);
}

std::vector<SizeBin> ManifestBuilder::size_histogram() const {
  std::map<std::uint32_t, std::uint64_t> num_by_side;
  for (const SizePx& size : sizes_px_)
    ++num_by_side[std::bit_floor(std::max(size.width, size.height))];
  std::vector<SizeBin> bins;
  for (const auto& [long_side_px, num_samples] : num_by_side) {
    bins.push_back({.long_side_px = long_side_px, .num_samples = num_samples});
  }
  return bins;
}

void ManifestBuilder::add_largest(const CheckedFile& file) {
  const IndexRecord& record = file.verdict.record;
  LargestSample& largest = manifest_.largest;
  const auto raise = [](auto& value, auto candidate) { value = std::max(value, candidate); };
  raise(largest.encoded_bytes, std::uint64_t{record.length_bytes});
  raise(largest.num_px, std::uint64_t{record.width_px} * record.height_px);
  raise(largest.width_px, record.width_px);
  raise(largest.height_px, record.height_px);
  raise(largest.decode_scratch_bytes, file.verdict.decode_scratch_bytes);
}

void ManifestBuilder::add_shard(SplitKind split, ManifestShard shard) {
  manifest_.splits[static_cast<std::size_t>(split)].shards.push_back(std::move(shard));
}

Manifest ManifestBuilder::build(std::map<std::string, std::string> conversion,
                                std::uint64_t num_quarantined) {
  Manifest manifest = manifest_;
  std::erase_if(manifest.splits, [](const ManifestSplit& split) { return split.num_samples == 0; });
  if (train_sums_.num_px > 0) {
    const auto mean = train_sums_.mean();
    const auto deviation = train_sums_.standard_deviation();
    manifest.mean.assign(mean.begin(), mean.end());
    manifest.std.assign(deviation.begin(), deviation.end());
  }
  std::vector<std::uint32_t> widths;
  std::vector<std::uint32_t> heights;
  for (const SizePx& size : sizes_px_) {
    widths.push_back(size.width);
    heights.push_back(size.height);
  }
  manifest.median_width_px = median(std::move(widths));
  manifest.median_height_px = median(std::move(heights));
  manifest.size_histogram = size_histogram();
  manifest.num_quarantined = num_quarantined;
  manifest.conversion = std::move(conversion);
  manifest.id = manifest_id(manifest);
  return manifest;
}

}  // namespace penstock::convert
