#include "augment/augment_config.h"

#include <algorithm>
#include <string>

#include "streamer/core/nearest_name.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::augment {
namespace {

constexpr std::array<std::string_view, 5> kPresetNames = {"none", "keras_default", "standard",
                                                          "imagenet", "cifar"};
constexpr std::array<std::string_view, 4> kFillModeNames = {"nearest", "constant", "reflect",
                                                            "wrap"};
constexpr std::array<std::string_view, 2> kDecodeScalingNames = {"auto", "off"};
constexpr std::array<std::string_view, 3> kAutoAugmentNames = {"none", "trivial_augment_wide",
                                                               "rand_augment"};
constexpr std::array<std::string_view, 4> kInterpolationNames = {"bilinear", "nearest",
                                                                 "bilinear_antialias", "bicubic"};

void check(bool holds, std::string_view field, std::string_view expected, double found) {
  if (holds) return;
  refuse_setting({"augment", field, expected, number_text(found),
                  "the values of a preset are right: preset = \"standard\""});
}

// NaN fails every comparison, so it fails every check.
bool lies_in(double value, double lo, double hi) {
  return value >= lo && value <= hi;
}

struct Bounds {
  double lo;
  double hi;
  std::string_view text;
};

void check_range_of(const std::string& field, DrawRange range, const Bounds& bounds) {
  check(lies_in(range.lo, bounds.lo, bounds.hi), field + ".lo", bounds.text, range.lo);
  check(lies_in(range.hi, bounds.lo, bounds.hi), field + ".hi", bounds.text, range.hi);
  check(range.lo <= range.hi, field + ".hi", "at least " + field + ".lo = " + number_text(range.lo),
        range.hi);
}

/// Returns the place of `name` among `known`; throws naming them and the nearest.
std::size_t find_name(std::string_view field, std::string_view name,
                      std::span<const std::string_view> known) {
  const auto found = std::find(known.begin(), known.end(), name);
  if (found != known.end()) return static_cast<std::size_t>(found - known.begin());
  std::string list;
  for (const std::string_view candidate : known) {
    if (!list.empty()) list += ", ";
    list += candidate;
  }
  refuse_setting({"augment", field, "one of " + list, "\"" + std::string(name) + "\"",
                  nearest_name_hint(name, known)});
}

}  // namespace

void AugmentConfig::validate() const {
  constexpr double kMaxShift = 16384;  // the largest side of a batch
  check(lies_in(horizontal_flip, 0, 1), "horizontal_flip", "0 to 1", horizontal_flip);
  check(lies_in(vertical_flip, 0, 1), "vertical_flip", "0 to 1", vertical_flip);
  check(lies_in(width_shift_range, 0, kMaxShift), "width_shift_range", "0 to 16384",
        width_shift_range);
  check(lies_in(height_shift_range, 0, kMaxShift), "height_shift_range", "0 to 16384",
        height_shift_range);
  check_range_of("zoom_range", zoom_range, {.lo = 0.01, .hi = 100, .text = "0.01 to 100"});
  check(lies_in(rotation_range, 0, 360), "rotation_range", "0 to 360 degrees", rotation_range);
  check(lies_in(shear_range, 0, 89), "shear_range", "0 to 89 degrees", shear_range);
  check_range_of("random_resized_crop_scale", random_resized_crop_scale,
                 {.lo = 1e-4, .hi = 1, .text = "0.0001 to 1"});
  check_range_of("random_resized_crop_ratio", random_resized_crop_ratio,
                 {.lo = 0.01, .hi = 100, .text = "0.01 to 100"});
  check(lies_in(center_crop, 0, 1), "center_crop", "0 to 1", center_crop);
  check(random_crop_padding <= kMaxShift, "random_crop_padding", "0 to 16384", random_crop_padding);
  check(lies_in(channel_shift_range, 0, 255), "channel_shift_range", "0 to 255",
        channel_shift_range);
  constexpr Bounds kFactors{.lo = 0, .hi = 10, .text = "0 to 10"};
  check_range_of("brightness_range", brightness_range, kFactors);
  check_range_of("contrast_range", contrast_range, kFactors);
  check_range_of("saturation_range", saturation_range, kFactors);
  check(lies_in(hue_range, 0, 0.5), "hue_range", "0 to 0.5", hue_range);
  check(lies_in(random_erasing, 0, 1), "random_erasing", "0 to 1", random_erasing);
  check_range_of("random_erasing_scale", random_erasing_scale,
                 {.lo = 1e-4, .hi = 1, .text = "0.0001 to 1"});
  check_range_of("random_erasing_ratio", random_erasing_ratio,
                 {.lo = 0.01, .hi = 100, .text = "0.01 to 100"});
  check(lies_in(random_erasing_value, -1e9, 1e9), "random_erasing_value", "-1e9 to 1e9",
        random_erasing_value);
  check(auto_augment <= AutoAugment::kRandAugment, "auto_augment", "0 to 2",
        static_cast<double>(auto_augment));
  check(lies_in(rand_augment_ops, 1, kMaxRandAugmentOps), "rand_augment_ops", "1 to 7",
        rand_augment_ops);
  check(rand_augment_magnitude <= kMaxRandAugmentMagnitude, "rand_augment_magnitude", "0 to 30",
        rand_augment_magnitude);
  check(lies_in(mixup, 0, 1000), "mixup", "0 to 1000", mixup);
  check(lies_in(cutmix, 0, 1000), "cutmix", "0 to 1000", cutmix);
  check(fill_mode <= FillMode::kWrap, "fill_mode", "0 to 3", static_cast<double>(fill_mode));
  check(lies_in(cval, 0, 255), "cval", "0 to 255", cval);
  check(lies_in(rescale, 1e-9, 1e9), "rescale", "1e-9 to 1e9", rescale);
  for (std::size_t c = 0; c < 3; ++c) {
    const std::string place = "[" + std::to_string(c) + "]";
    check(lies_in(mean[c], -1e9, 1e9), "mean" + place, "-1e9 to 1e9", mean[c]);
    check(lies_in(std[c], 1e-6, 1e9), "std" + place, "1e-6 to 1e9", std[c]);
  }
  check(interpolation <= Interpolation::kBicubic, "interpolation", "0 to 3",
        static_cast<double>(interpolation));
  check(decode_scaling <= DecodeScaling::kOff, "decode_scaling", "0 or 1",
        static_cast<double>(decode_scaling));
}

AugmentConfig AugmentConfig::without_randomness() const {
  const AugmentConfig off;
  AugmentConfig still = *this;
  still.horizontal_flip = off.horizontal_flip;
  still.vertical_flip = off.vertical_flip;
  still.width_shift_range = off.width_shift_range;
  still.height_shift_range = off.height_shift_range;
  still.zoom_range = off.zoom_range;
  still.rotation_range = off.rotation_range;
  still.shear_range = off.shear_range;
  still.random_resized_crop = off.random_resized_crop;
  still.random_resized_crop_scale = off.random_resized_crop_scale;
  still.random_resized_crop_ratio = off.random_resized_crop_ratio;
  still.random_crop_padding = off.random_crop_padding;
  still.channel_shift_range = off.channel_shift_range;
  still.brightness_range = off.brightness_range;
  still.contrast_range = off.contrast_range;
  still.saturation_range = off.saturation_range;
  still.hue_range = off.hue_range;
  still.random_erasing = off.random_erasing;
  still.random_erasing_scale = off.random_erasing_scale;
  still.random_erasing_ratio = off.random_erasing_ratio;
  still.random_erasing_value = off.random_erasing_value;
  still.fill_mode = off.fill_mode;
  still.cval = off.cval;
  still.auto_augment = off.auto_augment;
  still.rand_augment_ops = off.rand_augment_ops;
  still.rand_augment_magnitude = off.rand_augment_magnitude;
  still.mixup = off.mixup;
  still.cutmix = off.cutmix;
  return still;
}

AugmentConfig AugmentConfig::preset(std::string_view name) {
  switch (find_name("preset", name, kPresetNames)) {
    case 2:
      return {.horizontal_flip = 0.5,
              .width_shift_range = 0.1,
              .height_shift_range = 0.1,
              .zoom_range = {.lo = 0.9, .hi = 1.1},
              .fill_mode = FillMode::kNearest};
    case 3:
      return {.horizontal_flip = 0.5, .random_resized_crop = true, .center_crop = 0.875};
    case 4:
      return {.horizontal_flip = 0.5, .random_crop_padding = 4, .fill_mode = FillMode::kConstant};
    default:
      return {};
  }
}

std::span<const std::string_view> AugmentConfig::preset_names() {
  return kPresetNames;
}

std::string_view fill_mode_name(FillMode mode) {
  return kFillModeNames[static_cast<std::size_t>(mode)];
}

std::string_view decode_scaling_name(DecodeScaling scaling) {
  return kDecodeScalingNames[static_cast<std::size_t>(scaling)];
}

std::string_view auto_augment_name(AutoAugment policy) {
  return kAutoAugmentNames[static_cast<std::size_t>(policy)];
}

std::string_view interpolation_name(Interpolation interpolation) {
  return kInterpolationNames[static_cast<std::size_t>(interpolation)];
}

FillMode parse_fill_mode(std::string_view name) {
  return static_cast<FillMode>(find_name("fill_mode", name, kFillModeNames));
}

DecodeScaling parse_decode_scaling(std::string_view name) {
  return static_cast<DecodeScaling>(find_name("decode_scaling", name, kDecodeScalingNames));
}

AutoAugment parse_auto_augment(std::string_view name) {
  return static_cast<AutoAugment>(find_name("auto_augment", name, kAutoAugmentNames));
}

Interpolation parse_interpolation(std::string_view name) {
  return static_cast<Interpolation>(find_name("interpolation", name, kInterpolationNames));
}

}  // namespace penstock::augment
