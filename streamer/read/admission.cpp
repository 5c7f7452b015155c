#include "streamer/read/admission.h"

#include <algorithm>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/read/cache_entry.h"
#include "streamer/read/decoder_set.h"
#include "streamer/read/run_layout.h"

namespace penstock {

namespace {

// The record of a sample that is wanted now: where its page cannot be read, the error says for which.
IndexRecord wanted_record(const DatasetSplit& split, std::uint64_t sample_id) try {
  return split.record(sample_id);
} catch (const Error& error) {
  throw Error(error.code(), "sample " + std::to_string(sample_id) + ": index: " + error.what(),
              error.hint(), error.os_error());
}

// What the index says of a sample, before anything is drawn.
void describe(const IndexRecord& record, std::uint64_t sample_id, SampleTask& task) {
  task.record = record;
  task.info = sample_info(record, sample_id);
}

}  // namespace

SampleInfo sample_info(const IndexRecord& record, std::uint64_t sample_id) noexcept {
  const auto codec = static_cast<Codec>(record.codec);
  return {.sample_id = sample_id,
          .width_px = record.width_px,
          .height_px = record.height_px,
          .class_idx = record.class_idx,
          .orientation = record.orientation,
          .max_decode_scale = DecoderSet::max_decode_scale(codec)};
}

Admission::Admission(DatasetSplit split, Config config,
                     std::shared_ptr<const SampleTransform> transform)
    : split_(std::move(split)), config_(config), transform_(std::move(transform)) {}

void Admission::plan(const Place& place, SampleTask& task) const {
  describe(wanted_record(split_, place.sample_id), place.sample_id, task);
  task.shard = &split_.shard_of(place.sample_id);
  task.position = place.position;
  task.fault = {};
  task.decoded = {};
  const Draws draws({.seed = config_.seed, .epoch = place.epoch, .position = place.position});
  task.plan = transform_->plan(task.info, config_.spec, draws);
  check_internal(task.plan.decode_scale <= task.info.max_decode_scale,
                 "the transform asks for a decode scale that the codec does not offer");
  task.request = {.region = task.plan.source_region,
                  .decode_scale = task.plan.decode_scale,
                  .channels = config_.spec.channels};
  task.price = decode_price(stored_info(task.record), task.request);
}

std::uint32_t Admission::next_run_size(std::span<const SampleTask> tasks) const noexcept {
  const std::size_t most = std::min<std::size_t>(tasks.size(), config_.max_run_samples);
  RunLayout layout;
  std::uint32_t size = 0;
  while (size < most) {
    layout.add(tasks[size]);
    if (size > 0 && layout.total_bytes() > config_.max_run_bytes) break;
    ++size;
  }
  return size;
}

namespace {

// Bytes of a run of this sample alone, with `stored` in place of what the index says of it.
std::size_t lone_run_bytes(SampleTask& task, const StoredInfo& stored) noexcept {
  task.price = decode_price(stored, task.request);
  return run_layout({&task, 1}).total_bytes();
}

// What a cache would keep of this sample, whose request is at the finest scale.
void add_demand(CacheDemand& demand, CacheForm form, const SampleTask& task,
                const StoredInfo& stored) noexcept {
  DecodeRequest request = task.request;
  do {
    demand.add(cache_entry_bytes(form, stored, request));
    request.decode_scale *= 2;
  } while (form == CacheForm::kDecoded && request.decode_scale <= task.info.max_decode_scale);
}

}  // namespace

SampleCosts sample_costs(const DatasetSplit& split, const BatchSpec& spec,
                         const SampleTransform& transform, CacheForm cache) {
  SampleCosts costs;
  CostliestSample& costliest = costs.costliest;
  std::uint64_t sum_bytes = 0;
  std::uint64_t sum_encoded_bytes = 0;
  SampleTask task;
  task.plan.scratch_bytes = transform.worst_case_scratch_bytes(spec);
  split.scan_index([&](std::uint64_t first_id, std::span<const IndexRecord> records) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      describe(records[i], first_id + i, task);
      task.request = {.region = {0, 0, task.info.width_px, task.info.height_px},
                      .decode_scale = transform.finest_decode_scale(task.info, spec),
                      .channels = spec.channels};
      StoredInfo stored = stored_info(records[i]);
      add_demand(costs.cache_demand, cache, task, stored);
      const std::size_t bytes = lone_run_bytes(task, stored);
      sum_bytes += bytes;
      sum_encoded_bytes += align_up(stored.length_bytes);
      if (bytes > costliest.bytes) {
        costliest.bytes = bytes;
        costliest.sample_id = first_id + i;
        costliest.stored = stored;
      }
      // An interlaced PNG is no matter of scans.
      const bool is_rewritable =
          stored.codec == Codec::kJpeg && std::exchange(stored.is_progressive, false);
      costliest.bytes_if_baseline = std::max(costliest.bytes_if_baseline,
                                             is_rewritable ? lone_run_bytes(task, stored) : bytes);
    }
  });
  const std::uint64_t num_samples = std::max<std::uint64_t>(split.num_samples(), 1);
  costs.mean_bytes = sum_bytes / num_samples;
  costs.mean_encoded_bytes = sum_encoded_bytes / num_samples;
  return costs;
}

}  // namespace penstock
