#include "streamer/read/admission.h"

#include <algorithm>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/read/decoder_set.h"

namespace penstock {

void RunLayout::add(const SampleTask& task) noexcept {
  encoded_bytes = std::max(encoded_bytes, align_up(task.record.length_bytes));
  scratch_bytes =
      std::max(scratch_bytes,
               align_up(std::max<std::size_t>(task.price.scratch_bytes, task.plan.scratch_bytes)));
  decoded_bytes += align_up(task.price.decoded_bytes);
}

RunLayout run_layout(std::span<const SampleTask> tasks) noexcept {
  RunLayout layout;
  for (const SampleTask& task : tasks) layout.add(task);
  return layout;
}

namespace {

// What the index says of a sample, before anything is drawn.
void describe(const DatasetSplit& split, std::uint64_t sample_id, SampleTask& task) {
  task.record = split.record(sample_id);
  task.shard = &split.shard_of(sample_id);
  const auto codec = static_cast<Codec>(task.record.codec);
  task.info = {.sample_id = sample_id,
               .width_px = task.record.width_px,
               .height_px = task.record.height_px,
               .class_idx = task.record.class_idx,
               .orientation = task.record.orientation,
               .max_decode_scale = static_cast<std::uint8_t>(DecoderSet::can_scale(codec) ? 8 : 1)};
}

}  // namespace

Admission::Admission(DatasetSplit split, Config config,
                     std::shared_ptr<const SampleTransform> transform)
    : split_(std::move(split)), config_(config), transform_(std::move(transform)) {}

void Admission::plan(const Place& place, SampleTask& task) const {
  describe(split_, place.sample_id, task);
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

SampleCosts sample_costs(const DatasetSplit& split, const BatchSpec& spec,
                         const SampleTransform& transform) {
  SampleCosts costs;
  std::uint64_t sum_bytes = 0;
  SampleTask task;
  task.plan.scratch_bytes = static_cast<std::uint32_t>(transform.worst_case_scratch_bytes(spec));
  for (std::uint64_t id = 0; id < split.num_samples(); ++id) {
    describe(split, id, task);
    task.request = {.region = {0, 0, task.info.width_px, task.info.height_px},
                    .decode_scale = transform.finest_decode_scale(task.info, spec),
                    .channels = spec.channels};
    task.price = decode_price(stored_info(task.record), task.request);
    const std::size_t bytes = run_layout({&task, 1}).total_bytes();
    costs.costliest_bytes = std::max(costs.costliest_bytes, bytes);
    sum_bytes += bytes;
  }
  costs.mean_bytes = sum_bytes / std::max<std::uint64_t>(split.num_samples(), 1);
  return costs;
}

}  // namespace penstock
