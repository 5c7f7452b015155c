#include "augment/augment_transform.h"

#include <numbers>
#include <string_view>

#include "augment/affine_map.h"
#include "augment/augment_draws.h"
#include "augment/colour/element_fit.h"
#include "augment/planned_sample.h"
#include "augment/sample_pass.h"
#include "augment/sampling_plan.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::augment {
namespace {

/// Of uint8 batches, which hold pixels.
std::array<ChannelScale, 3> pixel_scales(const AugmentConfig& config) {
  std::array<ChannelScale, 3> scales;
  scales.fill({.gain = 1, .bias = 0, .fill = static_cast<float>(config.cval)});
  return scales;
}

void append(std::string& text, std::string_view key, std::string_view value) {
  text.append(key).append("=").append(value).append("\n");
}

void append(std::string& text, std::string_view key, double value) {
  append(text, key, number_text(value));
}

// Only what is on, so that runs from before these settings keep their identity.
void append_turns(std::string& text, const AugmentConfig& config) {
  if (config.vertical_flip > 0) append(text, "augment.vertical_flip", config.vertical_flip);
  if (config.rotation_range > 0) append(text, "augment.rotation_range", config.rotation_range);
  if (config.shear_range > 0) append(text, "augment.shear_range", config.shear_range);
  // Positions were float64 once.
  if (config.rotation_range > 0 || config.shear_range > 0) {
    append(text, "augment.turned_positions", "2^-24 px");
  }
}

void append(std::string& text, const std::string& key, DrawRange range) {
  append(text, key + ".lo", range.lo);
  append(text, key + ".hi", range.hi);
}

void append_colours(std::string& text, const AugmentConfig& config) {
  const auto add = [&](const std::string& key, DrawRange range) {
    if (!(range == DrawRange{})) append(text, key, range);
  };
  if (config.channel_shift_range > 0) {
    append(text, "augment.channel_shift_range", config.channel_shift_range);
  }
  add("augment.brightness_range", config.brightness_range);
  add("augment.contrast_range", config.contrast_range);
  add("augment.saturation_range", config.saturation_range);
  if (config.hue_range > 0) append(text, "augment.hue_range", config.hue_range);
}

void append_erasing(std::string& text, const AugmentConfig& config) {
  if (config.random_erasing == 0) return;
  append(text, "augment.random_erasing", config.random_erasing);
  append(text, "augment.random_erasing_scale", config.random_erasing_scale);
  append(text, "augment.random_erasing_ratio", config.random_erasing_ratio);
  append(text, "augment.random_erasing_value", config.random_erasing_value);
}

void append_crops(std::string& text, const AugmentConfig& config) {
  if (config.center_crop > 0) append(text, "augment.center_crop", config.center_crop);
  if (config.random_resized_crop) {
    append(text, "augment.random_resized_crop_scale", config.random_resized_crop_scale);
    append(text, "augment.random_resized_crop_ratio", config.random_resized_crop_ratio);
  }
  if (config.random_crop_padding > 0) {
    append(text, "augment.random_crop_padding", config.random_crop_padding);
  }
}

void append_policy(std::string& text, const AugmentConfig& config) {
  if (config.auto_augment == AutoAugment::kNone) return;
  append(text, "augment.auto_augment", auto_augment_name(config.auto_augment));
  if (config.auto_augment != AutoAugment::kRandAugment) return;
  append(text, "augment.rand_augment_ops", config.rand_augment_ops);
  append(text, "augment.rand_augment_magnitude", config.rand_augment_magnitude);
}

}  // namespace

AugmentTransform::AugmentTransform(AugmentConfig config) : config_(config) {
  config_.validate();
  channels_ = channel_scales(config_);
}

void AugmentTransform::accept(const BatchSpec& spec) const {
  spec.validate();
  if (spec.crop_bytes > 0) {
    refuse_setting({"augment", "crop_bytes", "0 for finished pixels",
                    std::to_string(spec.crop_bytes), "CropTransform writes crops"});
  }
  check_element_fits(config_, spec);
}

SamplePlan AugmentTransform::plan(const SampleInfo& info, const BatchSpec& spec,
                                  const Draws& draws) const noexcept {
  const PlannedSample planned = plan_sample(config_, info, spec, draws);
  SamplePlan plan = decode_plan(config_, planned, info, spec);
  plan.scratch_bytes = sample_scratch_bytes(spec, config_.interpolation, planned.colours);
  plan.store(planned);
  return plan;
}

void AugmentTransform::apply(const DecodedView& decoded, const SamplePlan& plan,
                             std::span<std::byte> scratch, const SampleSlot& slot) const noexcept {
  const auto planned = plan.load<PlannedSample>();
  const bool is_normalised = slot.spec->element != ElementType::kUint8;
  fill_slot({.warp = {.decoded = decoded,
                      .map = compose(planned.map, decode_scale_map(decoded.decode_scale)),
                      .stored = planned.stored,
                      .fill_mode = config_.fill_mode,
                      .interpolation = config_.interpolation,
                      .channels = is_normalised ? channels_ : pixel_scales(config_),
                      .slot = slot},
             .colours = planned.colours,
             .cval = static_cast<float>(config_.cval),
             .erased = planned.erased,
             .erased_value = static_cast<float>(config_.random_erasing_value)},
            scratch);
}

std::uint32_t AugmentTransform::finest_decode_scale(const SampleInfo& info,
                                                    const BatchSpec& spec) const noexcept {
  // Flips, shifts and rotations keep the singular values, no factor drawn is below zoom_range.lo, and
  // no window is smaller than the smallest.
  const SizePx window = smallest_crop(
      config_, {.output = {spec.width_px, spec.height_px},
                .upright = upright_size({info.width_px, info.height_px}, info.orientation)});
  const AugmentDraws closest{.zoom = {.x = config_.zoom_range.lo, .y = config_.zoom_range.lo},
                             .crop = {0, 0, window.width, window.height}};
  const AffineMap map = sample_map(closest, {spec.width_px, spec.height_px}, info);
  double smallest = singular_values(map).smallest;
  if (config_.rotation_range > 0 || config_.shear_range > 0) {
    // A product's smallest singular value is at least the product of the smallest; a shear's falls with
    // its angle. A little less, because the drawn map's are rounded.
    const double angle_rad = config_.shear_range * std::numbers::pi / 180;
    smallest *= singular_values(shear_map(angle_rad, {1, 1})).smallest * (1 - 1e-9);
  }
  smallest *= smallest_policy_scale(config_);
  return choose_decode_scale(smallest, config_.decode_scaling, info.max_decode_scale);
}

std::size_t AugmentTransform::worst_case_scratch_bytes(const BatchSpec& spec) const noexcept {
  return draws_colours(config_) ? most_sample_scratch_bytes(spec, config_.interpolation)
                                : sample_scratch_bytes(spec, config_.interpolation, {});
}

bool AugmentTransform::takes_sample_draws() const noexcept {
  return draws_anything(config_);
}

std::string AugmentTransform::identity() const {
  std::string text;
  append(text, "transform", "augment");
  // Counts changes of the draw table, of the formulas and of the order of their operations.
  append(text, "augment.revision", "1");
  append(text, "augment.interpolation", interpolation_name(config_.interpolation));
  append(text, "augment.horizontal_flip", config_.horizontal_flip);
  append(text, "augment.width_shift_range", config_.width_shift_range);
  append(text, "augment.height_shift_range", config_.height_shift_range);
  append(text, "augment.zoom_range", config_.zoom_range);
  append(text, "augment.fill_mode", fill_mode_name(config_.fill_mode));
  append(text, "augment.cval", config_.cval);
  append(text, "augment.rescale", config_.rescale);
  for (std::size_t c = 0; c < 3; ++c) {
    const std::string place = "[" + std::to_string(c) + "]";
    append(text, "augment.mean" + place, config_.mean[c]);
    append(text, "augment.std" + place, config_.std[c]);
  }
  append_turns(text, config_);
  append_crops(text, config_);
  append_colours(text, config_);
  append_erasing(text, config_);
  append_policy(text, config_);
  append(text, "augment.decode_scaling", decode_scaling_name(config_.decode_scaling));
  return text;
}

}  // namespace penstock::augment
