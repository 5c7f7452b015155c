#include "streamer/pipeline/batch_stages.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "streamer/core/error.h"
#include "streamer/read/decode_sample.h"
#include "streamer/shard/damaged_data.h"

namespace penstock {

RunTimes fill_run(const SampleRun& run, const FillTools& tools,
                  const std::stop_token& stop) noexcept {
  if (run.tasks.empty()) return {};
  RunTimer timer(run, RunPart::kDecode);
  const BatchSpec& spec = tools.ring.spec();
  std::byte* const first_pixels =
      tools.ring.slot(run.slot_idx).pixels + run.first_place * spec.sample_bytes();
  RunParts parts(run.tasks, tools.arena.bytes(run.block));
  for (std::size_t i = 0; i < run.tasks.size() && !stop.stop_requested(); ++i) {
    SampleTask& task = run.tasks[i];
    std::byte* const pixels = first_pixels + i * spec.sample_bytes();
    timer.begin_sample(i);
    decode_sample(task, parts.next_encoded(task), parts, tools.decoders, stop);
    timer.end(RunPart::kDecode);
    if (task.fault.status == SampleStatus::kOk) {
      tools.transform.apply(task.decoded, task.plan, parts.scratch(),
                            {.spec = &spec, .pixels = pixels, .stop = &stop});
    } else {
      std::memset(pixels, 0, spec.sample_bytes());
    }
    timer.end(RunPart::kAugment);
  }
  tools.arena.release(run.block);
  return timer.times();
}

std::optional<FilledBatch> collate_run(const SampleRun& run, BatchRing& ring) noexcept {
  BatchSlot& slot = ring.slot(run.slot_idx);
  slot.places_left -= static_cast<std::uint32_t>(run.tasks.size());
  if (slot.places_left > 0) return std::nullopt;
  return FilledBatch{run.batch_seq, run.slot_idx};
}

namespace {

// One-hot by class; all 0 for padding, for a sample without a label and for one that counts nowhere.
void fill_targets(BatchSlot& slot, std::uint32_t num_targets) noexcept {
  std::fill(slot.targets.begin(), slot.targets.end(), 0.0f);
  for (std::uint32_t place = 0; place < slot.stamp.num_valid; ++place) {
    const std::uint32_t class_idx = slot.class_idx[place];
    if (class_idx >= num_targets || !(slot.weights[place] > 0)) continue;
    slot.targets[std::size_t{place} * num_targets + class_idx] = 1.0f;
  }
}

}  // namespace

void finish_batch(BatchSlot& slot, const BatchSpec& spec,
                  std::span<const float> loss_weights) noexcept {
  const std::uint32_t num_valid = slot.stamp.num_valid;
  slot.events.clear();
  for (std::uint32_t place = 0; place < num_valid; ++place) {
    const SampleTask& task = slot.tasks[place];
    const bool is_ok = task.fault.status == SampleStatus::kOk;
    slot.class_idx[place] = task.info.class_idx;
    const float weight = loss_weights.empty() ? 1.0f : loss_weights[task.info.sample_id];
    slot.weights[place] = is_ok ? weight : 0.0f;
    slot.sample_ids[place] = task.info.sample_id;
    slot.positions[place] = task.position;
    if (!is_ok) slot.events.push_back({place, task.info.sample_id, task.fault});
  }
  std::fill(slot.class_idx.begin() + num_valid, slot.class_idx.end(), kUnlabelled);
  std::fill(slot.weights.begin() + num_valid, slot.weights.end(), 0.0f);
  std::fill(slot.sample_ids.begin() + num_valid, slot.sample_ids.end(), 0);
  std::fill(slot.positions.begin() + num_valid, slot.positions.end(), 0);
  std::memset(slot.pixels + num_valid * spec.sample_bytes(), 0,
              (spec.batch - num_valid) * spec.sample_bytes());
  if (spec.label_form == LabelForm::kTargets) fill_targets(slot, spec.num_targets);
}

void transform_batch(BatchSlot& slot, const BatchSpec& spec, std::uint64_t seed,
                     const BatchTransform& transform, const std::stop_token& stop) noexcept {
  if (slot.stamp.num_valid == 0) return;
  transform.apply({.spec = &spec,
                   .pixels = slot.pixels,
                   .targets = slot.targets,
                   .class_idx = slot.class_idx,
                   .weights = slot.weights,
                   .num_valid = slot.stamp.num_valid,
                   .draws = Draws({.seed = seed,
                                   .epoch = slot.stamp.epoch,
                                   .position = slot.positions[0],
                                   .purpose = DrawPurpose::kBatch}),
                   .stop = &stop});
}

BadSampleLimit::BadSampleLimit(Config config) noexcept
    : max_bad_(static_cast<std::uint64_t>(config.max_fraction *
                                          static_cast<double>(config.samples_per_epoch))) {
  if (config.max_fraction > 0) max_bad_ = std::max<std::uint64_t>(max_bad_, 1);
}

void BadSampleLimit::count(const BatchSlot& slot) {
  if (slot.stamp.epoch != epoch_) {
    epoch_ = slot.stamp.epoch;
    num_bad_ = 0;
  }
  num_bad_ += slot.events.size();
  if (num_bad_ <= max_bad_) return;
  const SampleEvent& last = slot.events.back();
  throw Error(ErrorCode::kTooManyBad,
              "epoch " + std::to_string(epoch_) + ": failed samples: expected at most " +
                  std::to_string(max_bad_) + ", found " + std::to_string(num_bad_) +
                  " (the last: sample " + std::to_string(last.sample_id) + ", " +
                  std::string(sample_status_name(last.fault.status)) + ": " +
                  std::string(last.fault.detail()) + ")",
              kDamageHint);
}

}  // namespace penstock
