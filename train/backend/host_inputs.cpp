#include "train/backend/host_inputs.h"

#include <cmath>
#include <string>
#include <utility>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& expected,
                         const std::string& found) {
  throw Error(ErrorCode::kInvalidArgument,
              "program: " + what + ": expected " + expected + ", found " + found);
}

std::string spec_text(const BatchSpec& spec) {
  std::string text = std::to_string(spec.batch) + " x " + std::to_string(spec.channels) + " x " +
                     std::to_string(spec.height_px) + " x " + std::to_string(spec.width_px);
  text += spec.layout == PixelLayout::kNhwc ? " nhwc" : " nchw";
  text += spec.element == ElementType::kFloat32    ? " float32"
          : spec.element == ElementType::kBfloat16 ? " bfloat16"
                                                   : " of another type";
  if (spec.crop_bytes > 0) text += ", crops of " + std::to_string(spec.crop_bytes) + " bytes";
  if (spec.label_form == LabelForm::kClassIndex) return text;
  return text + ", " + std::to_string(spec.num_targets) + " targets a sample";
}

}  // namespace

void HostInputs::upload(BatchLease lease, std::uint32_t slot) {
  if (slot >= slots_.size()) {
    refuse("input slot", "below " + std::to_string(slots_.size()), std::to_string(slot));
  }
  if (lease.view().spec == nullptr || lease.view().pixels == nullptr) {
    refuse("upload", "a batch", "an empty lease");
  }
  slots_[slot].lease = std::move(lease);
  slots_[slot].is_filled = true;
}

void HostInputs::set_scalars(const StepScalars& scalars, std::uint32_t slot) {
  slots_.at(slot).scalars = scalars;
}

void HostInputs::release(std::uint32_t slot) {
  slots_.at(slot).lease.release();
  slots_.at(slot).is_filled = false;
}

const BatchView& HostInputs::view(std::uint32_t slot) const {
  if (!slots_.at(slot).is_filled) refuse("run", "a slot with a batch", "an empty one");
  return slots_[slot].lease.view();
}

const StepScalars& HostInputs::scalars(std::uint32_t slot) const {
  return slots_.at(slot).scalars;
}

ProgramInput::ProgramInput(BatchSpec spec, std::uint32_t num_classes, const Lowering& lowering)
    : spec_(spec),
      num_classes_(num_classes),
      takes_negative_targets_(!is_softmax_loss(lowering.loss.kind) &&
                              !is_binary_loss(lowering.loss.kind)) {
  spec_.batch = lowering.batch;
  spec_.label_form = lowering.label_form;
  spec_.num_targets = lowering.label_form == LabelForm::kTargets ? num_classes : 0;
}

BatchView ProgramInput::part_of(const BatchView& batch, std::uint32_t first_sample) const {
  check_spec(*batch.spec, first_sample);
  if (batch.class_idx.size() < batch.spec->batch || batch.weights.size() < batch.spec->batch) {
    refuse("batch", std::to_string(batch.spec->batch) + " labels and weights",
           std::to_string(batch.class_idx.size()) + " and " + std::to_string(batch.weights.size()));
  }
  const std::size_t num_targets = std::size_t{batch.spec->batch} * spec_.num_targets;
  if (batch.targets.size() < num_targets) {
    refuse("batch", std::to_string(num_targets) + " targets", std::to_string(batch.targets.size()));
  }
  BatchView part = batch;
  part.pixels += first_sample * spec_.sample_bytes();
  part.class_idx = batch.class_idx.subspan(first_sample, spec_.batch);
  part.weights = batch.weights.subspan(first_sample, spec_.batch);
  if (spec_.num_targets > 0) {
    part.targets = batch.targets.subspan(std::size_t{first_sample} * spec_.num_targets,
                                         std::size_t{spec_.batch} * spec_.num_targets);
  }
  check_labels(part);
  return part;
}

void ProgramInput::check_spec(const BatchSpec& found, std::uint32_t first_sample) const {
  BatchSpec part = found;
  const std::uint64_t end = std::uint64_t{first_sample} + spec_.batch;
  if (end <= found.batch) part.batch = spec_.batch;
  if (part == spec_) return;
  const std::string from =
      first_sample == 0 ? "" : " from sample " + std::to_string(first_sample) + " on";
  refuse("batch", spec_text(spec_) + from, spec_text(found));
}

void ProgramInput::check_labels(const BatchView& part) const {
  for (const std::uint32_t label : part.class_idx) {
    if (label != kUnlabelled && label >= num_classes_) {
      refuse("batch", "labels below " + std::to_string(num_classes_), std::to_string(label));
    }
  }
  if (spec_.num_targets == 0) return;
  for (const float target : part.targets) {
    if (std::isfinite(target) && (target >= 0 || takes_negative_targets_)) continue;
    refuse(
        "batch",
        takes_negative_targets_ ? "targets that are numbers" : "targets that are numbers from 0 on",
        std::to_string(target));
  }
}

}  // namespace penstock::train
