#include "streamer/shard/manifest_tally.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "streamer/core/batch.h"

namespace penstock {
namespace {

// The lower of the two middle values when their number is even.
std::uint32_t median(std::vector<std::uint32_t> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

template <class T>
void raise(T& value, T candidate) {
  value = std::max(value, candidate);
}

}  // namespace

ManifestTally::ManifestTally(std::vector<std::string> class_names) {
  manifest_.class_names = std::move(class_names);
}

void ManifestTally::add_split(const std::string& name) {
  manifest_.splits.push_back(
      {.name = name,
       .num_samples = 0,
       .num_by_class = std::vector<std::uint64_t>(manifest_.class_names.size()),
       .shards = {}});
}

void ManifestTally::add_sample(std::size_t split_idx, const IndexRecord& record,
                               std::uint64_t decode_scratch_bytes) {
  ManifestSplit& split = manifest_.splits[split_idx];
  ++split.num_samples;
  if (record.class_idx != kUnlabelled) ++split.num_by_class[record.class_idx];

  SizePx size{record.width_px, record.height_px};
  constexpr std::uint8_t kFirstTransposed = 5;  // EXIF 5 to 8 exchange the sides
  if (record.orientation >= kFirstTransposed) std::swap(size.width, size.height);
  sizes_px_.push_back(size);
  stored_bytes_ += record.length_bytes;

  LargestSample& largest = manifest_.largest;
  raise(largest.encoded_bytes, std::uint64_t{record.length_bytes});
  raise(largest.num_px, std::uint64_t{record.width_px} * record.height_px);
  raise(largest.width_px, record.width_px);
  raise(largest.height_px, record.height_px);
  raise(largest.decode_scratch_bytes, decode_scratch_bytes);
}

void ManifestTally::add_shard(std::size_t split_idx, ManifestShard shard) {
  manifest_.splits[split_idx].shards.push_back(std::move(shard));
}

std::vector<SizeBin> ManifestTally::size_histogram() const {
  std::map<std::uint32_t, std::uint64_t> num_by_side;
  for (const SizePx& size : sizes_px_) {
    ++num_by_side[std::bit_floor(std::max(size.width, size.height))];
  }
  std::vector<SizeBin> bins;
  for (const auto& [long_side_px, num_samples] : num_by_side) {
    bins.push_back({.long_side_px = long_side_px, .num_samples = num_samples});
  }
  return bins;
}

std::vector<AspectBin> ManifestTally::aspect_histogram() const {
  std::array<std::uint64_t, kAspectBounds.size()> num_by_bound{};
  for (const SizePx& size : sizes_px_) {
    const auto above =
        std::upper_bound(kAspectBounds.begin(), kAspectBounds.end(), size,
                         [](const SizePx& of, std::uint32_t bound) {
                           return std::uint64_t{100} * of.width < std::uint64_t{bound} * of.height;
                         });
    ++num_by_bound[static_cast<std::size_t>(above - kAspectBounds.begin()) - 1];
  }
  std::vector<AspectBin> bins;
  for (std::size_t i = 0; i < kAspectBounds.size(); ++i) {
    if (num_by_bound[i] == 0) continue;
    bins.push_back({.width_percent = kAspectBounds[i], .num_samples = num_by_bound[i]});
  }
  return bins;
}

Manifest ManifestTally::build() const {
  Manifest manifest = manifest_;
  std::erase_if(manifest.splits, [](const ManifestSplit& split) { return split.num_samples == 0; });
  std::vector<std::uint32_t> widths;
  std::vector<std::uint32_t> heights;
  for (const SizePx& size : sizes_px_) {
    widths.push_back(size.width);
    heights.push_back(size.height);
  }
  manifest.median_width_px = median(std::move(widths));
  manifest.median_height_px = median(std::move(heights));
  manifest.size_histogram = size_histogram();
  manifest.aspect_histogram = aspect_histogram();
  return manifest;
}

}  // namespace penstock
