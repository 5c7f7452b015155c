#include "train/run/data/crop_size.h"

#include <algorithm>

#include "augment/crop_transform.h"
#include "streamer/read/admission.h"

namespace penstock::train {

std::uint32_t crop_bytes_for(std::span<const DatasetSplit* const> splits,
                             const augment::AugmentConfig& config, BatchSpec spec) {
  const augment::CropTransform transform(config);
  std::uint32_t most = transform.crop_bytes({.width_px = 1, .height_px = 1}, spec);
  for (const DatasetSplit* split : splits) {
    split->scan_index([&](std::uint64_t sample_id, std::span<const IndexRecord> records) {
      for (const IndexRecord& record : records) {
        most = std::max(most, transform.crop_bytes(sample_info(record, sample_id++), spec));
      }
    });
  }
  spec.crop_bytes = most;
  transform.accept(spec);
  return most;
}

}  // namespace penstock::train
