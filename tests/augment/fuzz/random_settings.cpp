#include "tests/augment/fuzz/random_settings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace penstock::augment {
namespace {

struct Limits {
  double lo;
  double hi;
};

/// A field of one number: its range, and the part of it that users ask for.
struct NumberField {
  std::string name;
  double& (*of)(AugmentConfig&);
  Limits valid;
  Limits usual;
};

/// A field of two.
struct RangeField {
  std::string name;
  DrawRange& (*of)(AugmentConfig&);
  Limits valid;
  Limits usual;
};

/// A field of a whole number; enumerations too.
struct WholeField {
  std::string name;
  std::uint32_t (*get)(const AugmentConfig&);
  void (*set)(AugmentConfig&, std::uint32_t);
  std::uint32_t lo;
  std::uint32_t hi;
  std::uint32_t usual_hi;
  std::uint32_t most;  // that the field can hold
};

using C = AugmentConfig;

const std::vector<NumberField>& number_fields() {
  static const std::vector<NumberField> fields = {
      {"horizontal_flip", [](C& c) -> double& { return c.horizontal_flip; }, {0, 1}, {0, 1}},
      {"vertical_flip", [](C& c) -> double& { return c.vertical_flip; }, {0, 1}, {0, 1}},
      {"width_shift_range",
       [](C& c) -> double& { return c.width_shift_range; },
       {0, 16384},
       {0, 1.5}},
      {"height_shift_range",
       [](C& c) -> double& { return c.height_shift_range; },
       {0, 16384},
       {0, 1.5}},
      {"rotation_range", [](C& c) -> double& { return c.rotation_range; }, {0, 360}, {0, 40}},
      {"shear_range", [](C& c) -> double& { return c.shear_range; }, {0, 89}, {0, 30}},
      {"center_crop", [](C& c) -> double& { return c.center_crop; }, {0, 1}, {0.5, 1}},
      {"channel_shift_range",
       [](C& c) -> double& { return c.channel_shift_range; },
       {0, 255},
       {0, 60}},
      {"hue_range", [](C& c) -> double& { return c.hue_range; }, {0, 0.5}, {0, 0.5}},
      {"random_erasing", [](C& c) -> double& { return c.random_erasing; }, {0, 1}, {0, 1}},
      {"random_erasing_value",
       [](C& c) -> double& { return c.random_erasing_value; },
       {-1e9, 1e9},
       {-3, 255}},
      {"mixup", [](C& c) -> double& { return c.mixup; }, {0, 1000}, {0, 1}},
      {"cutmix", [](C& c) -> double& { return c.cutmix; }, {0, 1000}, {0, 2}},
      {"cval", [](C& c) -> double& { return c.cval; }, {0, 255}, {0, 255}},
      {"rescale", [](C& c) -> double& { return c.rescale; }, {1e-9, 1e9}, {0.001, 1}},
      {"mean[0]", [](C& c) -> double& { return c.mean[0]; }, {-1e9, 1e9}, {0, 1}},
      {"mean[1]", [](C& c) -> double& { return c.mean[1]; }, {-1e9, 1e9}, {0, 1}},
      {"mean[2]", [](C& c) -> double& { return c.mean[2]; }, {-1e9, 1e9}, {0, 1}},
      {"std[0]", [](C& c) -> double& { return c.std[0]; }, {1e-6, 1e9}, {0.1, 1}},
      {"std[1]", [](C& c) -> double& { return c.std[1]; }, {1e-6, 1e9}, {0.1, 1}},
      {"std[2]", [](C& c) -> double& { return c.std[2]; }, {1e-6, 1e9}, {0.1, 1}},
  };
  return fields;
}

const std::vector<RangeField>& range_fields() {
  static const std::vector<RangeField> fields = {
      {"zoom_range", [](C& c) -> DrawRange& { return c.zoom_range; }, {0.01, 100}, {0.5, 2}},
      {"random_resized_crop_scale",
       [](C& c) -> DrawRange& { return c.random_resized_crop_scale; },
       {1e-4, 1},
       {0.05, 1}},
      {"random_resized_crop_ratio",
       [](C& c) -> DrawRange& { return c.random_resized_crop_ratio; },
       {0.01, 100},
       {0.5, 2}},
      {"brightness_range", [](C& c) -> DrawRange& { return c.brightness_range; }, {0, 10}, {0, 2}},
      {"contrast_range", [](C& c) -> DrawRange& { return c.contrast_range; }, {0, 10}, {0, 2}},
      {"saturation_range", [](C& c) -> DrawRange& { return c.saturation_range; }, {0, 10}, {0, 2}},
      {"random_erasing_scale",
       [](C& c) -> DrawRange& { return c.random_erasing_scale; },
       {1e-4, 1},
       {0.02, 0.5}},
      {"random_erasing_ratio",
       [](C& c) -> DrawRange& { return c.random_erasing_ratio; },
       {0.01, 100},
       {0.3, 3.3}},
  };
  return fields;
}

template <class T>
T narrowed(std::uint32_t value) {
  return static_cast<T>(value);
}

const std::vector<WholeField>& whole_fields() {
  static const std::vector<WholeField> fields = {
      {"random_crop_padding", [](const C& c) { return c.random_crop_padding; },
       [](C& c, std::uint32_t v) { c.random_crop_padding = v; }, 0, 16384, 12, UINT32_MAX},
      {"rand_augment_ops", [](const C& c) { return c.rand_augment_ops; },
       [](C& c, std::uint32_t v) { c.rand_augment_ops = v; }, 1, 7, 3, UINT32_MAX},
      {"rand_augment_magnitude", [](const C& c) { return c.rand_augment_magnitude; },
       [](C& c, std::uint32_t v) { c.rand_augment_magnitude = v; }, 0, 30, 30, UINT32_MAX},
      {"auto_augment", [](const C& c) { return narrowed<std::uint32_t>(int(c.auto_augment)); },
       [](C& c, std::uint32_t v) { c.auto_augment = narrowed<AutoAugment>(v); }, 0, 2, 2, 255},
      {"fill_mode", [](const C& c) { return narrowed<std::uint32_t>(int(c.fill_mode)); },
       [](C& c, std::uint32_t v) { c.fill_mode = narrowed<FillMode>(v); }, 0, 3, 3, 255},
      {"interpolation", [](const C& c) { return narrowed<std::uint32_t>(int(c.interpolation)); },
       [](C& c, std::uint32_t v) { c.interpolation = narrowed<Interpolation>(v); }, 0, 3, 3, 255},
      {"decode_scaling", [](const C& c) { return narrowed<std::uint32_t>(int(c.decode_scaling)); },
       [](C& c, std::uint32_t v) { c.decode_scaling = narrowed<DecodeScaling>(v); }, 0, 1, 1, 255},
  };
  return fields;
}

double between(Limits limits, std::mt19937_64& random) {
  return std::clamp(std::uniform_real_distribution<double>(limits.lo, limits.hi)(random), limits.lo,
                    limits.hi);
}

/// Any number of a range, small ones too: its ends, or evenly drawn, or evenly as a logarithm.
double any_between(Limits limits, std::mt19937_64& random) {
  switch (random() % 6) {
    case 0:
      return limits.lo;
    case 1:
      return limits.hi;
    case 2: {
      const double lo = std::max(limits.lo, 1e-7);
      const double size = std::exp(between({std::log(lo), std::log(limits.hi)}, random));
      return std::clamp(size, limits.lo, limits.hi);
    }
    default:
      return between(limits, random);
  }
}

/// A valid number: a usual one mostly. `wildness` says one in how many is not.
double valid_number(Limits valid, Limits usual, unsigned wildness, std::mt19937_64& random) {
  return random() % wildness == 0 ? any_between(valid, random) : between(usual, random);
}

DrawRange valid_range(const RangeField& field, unsigned wildness, std::mt19937_64& random) {
  const double a = valid_number(field.valid, field.usual, wildness, random);
  const double b = random() % 8 == 0 ? a : valid_number(field.valid, field.usual, wildness, random);
  return {.lo = std::min(a, b), .hi = std::max(a, b)};
}

std::uint32_t whole_between(std::uint32_t lo, std::uint32_t hi, std::mt19937_64& random) {
  return lo + static_cast<std::uint32_t>(random() % (std::uint64_t{hi} - lo + 1));
}

/// Numbers at and beyond the ends of a range, and what is no number.
double any_number(Limits valid, std::mt19937_64& random) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr std::array kOdd = {std::numeric_limits<double>::quiet_NaN(),
                               kInfinity,
                               -kInfinity,
                               -1.0,
                               -0.0,
                               0.0,
                               1e300,
                               -1e300,
                               std::numeric_limits<double>::max(),
                               std::numeric_limits<double>::denorm_min(),
                               -std::numeric_limits<double>::denorm_min()};
  switch (random() % 5) {
    case 0:
      return std::nextafter(valid.lo, -kInfinity);
    case 1:
      return std::nextafter(valid.hi, kInfinity);
    case 2:
      return any_between(valid, random);
    default:
      return kOdd[random() % kOdd.size()];
  }
}

bool lies_in(double value, Limits limits) {
  return value >= limits.lo && value <= limits.hi;
}

FieldChange change_a_range(AugmentConfig config, std::mt19937_64& random) {
  const RangeField& field = range_fields()[random() % range_fields().size()];
  DrawRange& range = field.of(config);
  double& end = random() % 2 == 0 ? range.lo : range.hi;
  end = any_number(field.valid, random);
  if (random() % 4 == 0) std::swap(range.lo, range.hi);
  const bool is_valid =
      lies_in(range.lo, field.valid) && lies_in(range.hi, field.valid) && range.lo <= range.hi;
  const bool is_low_wrong = !lies_in(range.lo, field.valid);
  return {config, field.name + (is_low_wrong ? ".lo" : ".hi"), is_valid};
}

}  // namespace

AugmentConfig random_settings(std::mt19937_64& random) {
  const auto presets = AugmentConfig::preset_names();
  AugmentConfig config = random() % 3 == 0
                             ? AugmentConfig::preset(presets[random() % presets.size()])
                             : AugmentConfig{};
  // Some settings are crowded, some sparse; some wild, most are not.
  const unsigned share = 2 + static_cast<unsigned>(random() % 8);
  const unsigned wildness = random() % 4 == 0 ? 3 : 1000;
  for (const NumberField& field : number_fields()) {
    if (random() % share == 0) {
      field.of(config) = valid_number(field.valid, field.usual, wildness, random);
    }
  }
  for (const RangeField& field : range_fields()) {
    if (random() % share == 0) field.of(config) = valid_range(field, wildness, random);
  }
  config.random_resized_crop = random() % share == 0;
  for (const WholeField& field : whole_fields()) {
    if (random() % std::min(share, 3u) != 0) continue;
    const std::uint32_t hi = random() % wildness == 0 ? field.hi : field.usual_hi;
    field.set(config, whole_between(field.lo, hi, random));
  }
  return config;
}

FieldChange change_to_any_number(AugmentConfig config, std::mt19937_64& random) {
  const std::size_t which = random() % 4;
  if (which == 0) return change_a_range(config, random);
  if (which == 1) {
    const WholeField& field = whole_fields()[random() % whole_fields().size()];
    const std::array odd = {field.lo, field.hi, std::min(field.hi + 1, field.most), field.most,
                            whole_between(0, field.most, random)};
    const std::uint32_t value = odd[random() % odd.size()];
    field.set(config, value);
    return {config, field.name, value >= field.lo && value <= field.hi};
  }
  const NumberField& field = number_fields()[random() % number_fields().size()];
  const double value = any_number(field.valid, random);
  field.of(config) = value;
  return {config, field.name, lies_in(value, field.valid)};
}

AugmentConfig with_one_field_changed(AugmentConfig config, std::mt19937_64& random) {
  switch (random() % 4) {
    case 0: {
      const RangeField& field = range_fields()[random() % range_fields().size()];
      field.of(config) = valid_range(field, 4, random);
      break;
    }
    case 1: {
      const WholeField& field = whole_fields()[random() % whole_fields().size()];
      field.set(config, whole_between(field.lo, field.usual_hi, random));
      break;
    }
    case 2:
      if (random() % 4 == 0) {
        config.random_resized_crop = !config.random_resized_crop;
        break;
      }
      [[fallthrough]];
    default: {
      const NumberField& field = number_fields()[random() % number_fields().size()];
      field.of(config) = valid_number(field.valid, field.usual, 4, random);
    }
  }
  return config;
}

}  // namespace penstock::augment
