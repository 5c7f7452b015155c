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

struct Bounds {
  double lo;
  double hi;
  std::string_view text;
};

// NaN fails every comparison, so it fails every check.
bool lies_in(double value, double lo, double hi) {
  return value >= lo && value <= hi;
}

/// The nearest number that is right.
double held(double value, const Bounds& bounds) {
  return value > bounds.lo ? std::min(value, bounds.hi) : bounds.lo;
}

void check(const std::string& field, double value, const Bounds& bounds) {
  if (lies_in(value, bounds.lo, bounds.hi)) return;
  refuse_setting({"augment", field, bounds.text, number_text(value),
                  field + " = " + number_text(held(value, bounds))});
}

/// The same where the nearest number that is right is of no use; `hint` is what to write.
void check_or_hint(const std::string& field, double value, const Bounds& bounds,
                   const std::string& hint) {
  if (lies_in(value, bounds.lo, bounds.hi)) return;
  refuse_setting({"augment", field, bounds.text, number_text(value), hint});
}

std::string list_text(const std::array<double, 3>& values) {
  return "[" + number_text(values[0]) + ", " + number_text(values[1]) + ", " +
         number_text(values[2]) + "]";
}

void check_range_of(const std::string& field, DrawRange range, const Bounds& bounds) {
  const double lo = held(range.lo, bounds);
  const std::string hint = field + " = [" + number_text(lo) + ", " +
                           number_text(std::max(lo, held(range.hi, bounds))) + "]";
  const auto check_end = [&](const char* end, double value, double least, std::string_view text) {
    if (lies_in(value, least, bounds.hi)) return;
    refuse_setting({"augment", field + end, text, number_text(value), hint});
  };
  check_end(".lo", range.lo, bounds.lo, bounds.text);
  check_end(".hi", range.hi, bounds.lo, bounds.text);
  check_end(".hi", range.hi, range.lo, "at least " + field + ".lo = " + number_text(range.lo));
}

std::string names_text(std::span<const std::string_view> names) {
  std::string list;
  for (const std::string_view name : names) {
    if (!list.empty()) list += ", ";
    list += name;
  }
  return "one of " + list;
}

/// Of an enumeration; the hint is the default's name.
template <class Enum>
void check_named(const std::string& field, Enum value, Enum fallback,
                 std::span<const std::string_view> names) {
  const auto idx = static_cast<std::size_t>(value);
  if (idx < names.size()) return;
  refuse_setting({"augment", field, names_text(names), std::to_string(idx),
                  field + " = \"" + std::string(names[static_cast<std::size_t>(fallback)]) + "\""});
}

/// Returns the place of `name` among `known`; throws naming them and the nearest.
std::size_t find_name(std::string_view field, std::string_view name,
                      std::span<const std::string_view> known) {
  const auto found = std::find(known.begin(), known.end(), name);
  if (found != known.end()) return static_cast<std::size_t>(found - known.begin());
  refuse_setting({"augment", field, names_text(known), "\"" + std::string(name) + "\"",
                  nearest_name_hint(name, known)});
}

}  // namespace

void AugmentConfig::validate() const {
  constexpr Bounds kShift{.lo = 0, .hi = kMaxShiftPx, .text = "0 to 16384"};
  constexpr Bounds kShare{.lo = 0, .hi = 1, .text = "0 to 1"};
  check("horizontal_flip", horizontal_flip, kShare);
  check("vertical_flip", vertical_flip, kShare);
  check("width_shift_range", width_shift_range, kShift);
  check("height_shift_range", height_shift_range, kShift);
  check_range_of("zoom_range", zoom_range, {.lo = 0.01, .hi = 100, .text = "0.01 to 100"});
  check("rotation_range", rotation_range, {.lo = 0, .hi = 360, .text = "0 to 360 degrees"});
  check("shear_range", shear_range, {.lo = 0, .hi = 89, .text = "0 to 89 degrees"});
  check_range_of("random_resized_crop_scale", random_resized_crop_scale,
                 {.lo = 1e-4, .hi = 1, .text = "0.0001 to 1"});
  check_range_of("random_resized_crop_ratio", random_resized_crop_ratio,
                 {.lo = 0.01, .hi = 100, .text = "0.01 to 100"});
  check("center_crop", center_crop, kShare);
  check("random_crop_padding", random_crop_padding, kShift);
  check("channel_shift_range", channel_shift_range, {.lo = 0, .hi = 255, .text = "0 to 255"});
  constexpr Bounds kFactors{.lo = 0, .hi = 10, .text = "0 to 10"};
  check_range_of("brightness_range", brightness_range, kFactors);
  check_range_of("contrast_range", contrast_range, kFactors);
  check_range_of("saturation_range", saturation_range, kFactors);
  check("hue_range", hue_range, {.lo = 0, .hi = 0.5, .text = "0 to 0.5"});
  check("random_erasing", random_erasing, kShare);
  check_range_of("random_erasing_scale", random_erasing_scale,
                 {.lo = 1e-4, .hi = 1, .text = "0.0001 to 1"});
  check_range_of("random_erasing_ratio", random_erasing_ratio,
                 {.lo = 0.01, .hi = 100, .text = "0.01 to 100"});
  check("random_erasing_value", random_erasing_value,
        {.lo = -1e9, .hi = 1e9, .text = "-1e9 to 1e9"});
  const AugmentConfig fallback;
  check_named("auto_augment", auto_augment, fallback.auto_augment, kAutoAugmentNames);
  check("rand_augment_ops", rand_augment_ops,
        {.lo = 1, .hi = kMaxRandAugmentOps, .text = "1 to 7"});
  check("rand_augment_magnitude", rand_augment_magnitude,
        {.lo = 0, .hi = kMaxRandAugmentMagnitude, .text = "0 to 30"});
  check("mixup", mixup, {.lo = 0, .hi = 1000, .text = "0 to 1000"});
  check("cutmix", cutmix, {.lo = 0, .hi = 1000, .text = "0 to 1000"});
  check_named("fill_mode", fill_mode, fallback.fill_mode, kFillModeNames);
  check("cval", cval, {.lo = 0, .hi = 255, .text = "0 to 255"});
  check_or_hint("rescale", rescale, {.lo = 1e-9, .hi = 1e9, .text = "1e-9 to 1e9"},
                "rescale = " + number_text(fallback.rescale));
  for (std::size_t c = 0; c < 3; ++c) {
    const std::string place = "[" + std::to_string(c) + "]";
    check_or_hint("mean" + place, mean[c], {.lo = -1e9, .hi = 1e9, .text = "-1e9 to 1e9"},
                  "mean = " + list_text(fallback.mean));
    check_or_hint("std" + place, std[c], {.lo = 1e-6, .hi = 1e9, .text = "1e-6 to 1e9"},
                  "std = " + list_text(fallback.std));
  }
  check_named("interpolation", interpolation, fallback.interpolation, kInterpolationNames);
  check_named("decode_scaling", decode_scaling, fallback.decode_scaling, kDecodeScalingNames);
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
