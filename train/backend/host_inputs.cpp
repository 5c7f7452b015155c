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
  text += spec.element == ElementType::kFloat32 ? " float32" : " of another type";
  if (spec.label_form == LabelForm::kClassIndex) return text;
  return text + ", " + std::to_string(spec.num_targets) + " targets a sample";
}

}  // namespace

HostInputs::HostInputs(BatchSpec spec, std::uint32_t num_classes, const Lowering& lowering)
    : spec_(spec), num_classes_(num_classes), slots_(lowering.num_input_slots) {
  spec_.label_form = lowering.label_form;
  spec_.num_targets = lowering.label_form == LabelForm::kTargets ? num_classes : 0;
}

void HostInputs::upload(BatchLease lease, std::uint32_t slot) {
  check_slot(slot);
  const BatchView& view = lease.view();
  if (view.spec == nullptr || view.pixels == nullptr) refuse("upload", "a batch", "an empty lease");
  BatchSpec found = *view.spec;
  const bool is_large_enough = found.batch >= spec_.batch;
  if (is_large_enough) found.batch = spec_.batch;
  if (found != spec_) refuse("upload", spec_text(spec_), spec_text(*view.spec));
  check_labels(view);
  slots_[slot].lease = std::move(lease);
  slots_[slot].is_filled = true;
}

void HostInputs::check_labels(const BatchView& view) const {
  if (view.class_idx.size() < spec_.batch || view.weights.size() < spec_.batch) {
    refuse("upload", std::to_string(spec_.batch) + " labels and weights",
           std::to_string(view.class_idx.size()) + " and " + std::to_string(view.weights.size()));
  }
  for (const std::uint32_t label : view.class_idx.first(spec_.batch)) {
    if (label != kUnlabelled && label >= num_classes_) {
      refuse("upload", "labels below " + std::to_string(num_classes_), std::to_string(label));
    }
  }
  const std::size_t num_targets = std::size_t{spec_.batch} * spec_.num_targets;
  if (view.targets.size() < num_targets) {
    refuse("upload", std::to_string(num_targets) + " targets", std::to_string(view.targets.size()));
  }
  for (const float target : view.targets.first(num_targets)) {
    if (!(target >= 0) || !std::isfinite(target)) {
      refuse("upload", "targets that are numbers from 0 on", std::to_string(target));
    }
  }
}

void HostInputs::set_scalars(const StepScalars& scalars, std::uint32_t slot) {
  check_slot(slot);
  slots_[slot].scalars = scalars;
}

const BatchView& HostInputs::view(std::uint32_t slot) const {
  check_slot(slot);
  if (!slots_[slot].is_filled) refuse("run", "a slot with a batch", "an empty one");
  return slots_[slot].lease.view();
}

void HostInputs::release(std::uint32_t slot) {
  slots_[slot].lease.release();
  slots_[slot].is_filled = false;
}

void HostInputs::check_slot(std::uint32_t slot) const {
  if (slot < slots_.size()) return;
  refuse("input slot", "below " + std::to_string(slots_.size()), std::to_string(slot));
}

}  // namespace penstock::train
