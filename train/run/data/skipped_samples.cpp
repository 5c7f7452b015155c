#include "train/run/data/skipped_samples.h"

#include "streamer/core/csv_field.h"
#include "streamer/core/result.h"
#include "streamer/shard/shard_file.h"

namespace penstock::train {

std::string skipped_text(const SkippedSample& sample) {
  std::string text = "sample " + std::to_string(sample.sample_id) + " of split " + sample.split;
  text += " (" + sample.name + (sample.name.empty() ? "" : ", ") + sample.shard + "): ";
  return text + std::string(sample_status_name(sample.fault.status)) + ": " +
         std::string(sample.fault.detail());
}

const SkippedSample* SkippedSamples::add(const DatasetSplit& split, std::uint32_t epoch_idx,
                                         const SampleEvent& event) {
  if (list_.size() >= kMaxListed) return nullptr;
  if (!seen_.emplace(split.name(), event.sample_id).second) return nullptr;
  list_.push_back({.epoch_idx = epoch_idx,
                   .split = split.name(),
                   .sample_id = event.sample_id,
                   .name = split.read_name(event.sample_id),
                   .shard = split.shard_of(event.sample_id).path().filename().native(),
                   .fault = event.fault});
  return &list_.back();
}

std::string SkippedSamples::csv() const {
  std::string csv = "epoch,split,sample_id,name,shard,reason,detail\n";
  for (const SkippedSample& sample : list_) {
    csv += std::to_string(sample.epoch_idx + 1) + "," + csv_field(sample.split) + "," +
           std::to_string(sample.sample_id) + "," + csv_field(sample.name) + "," +
           csv_field(sample.shard) + "," + std::string(sample_status_name(sample.fault.status)) +
           "," + csv_field(sample.fault.detail()) + "\n";
  }
  return csv;
}

}  // namespace penstock::train
