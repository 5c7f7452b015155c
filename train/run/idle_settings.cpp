#include "train/run/idle_settings.h"

#include <string_view>

#include "train/graph/toml_table.h"
#include "train/run/run_keys.h"

namespace penstock::train {
namespace {

using augment::AugmentConfig;
using augment::AutoAugment;
using augment::FillMode;

/// A key, whether what it belongs to is on, and what would turn that on.
struct Belonging {
  std::string_view key;
  bool (*is_on)(const RunConfig&);
  std::string_view otherwise;
};

bool crops(const RunConfig& config) {
  return config.augment.random_resized_crop;
}
bool erases(const RunConfig& config) {
  return config.augment.random_erasing > 0;
}
bool draws_rand_augment(const RunConfig& config) {
  return config.augment.auto_augment == AutoAugment::kRandAugment;
}
bool fills_constant(const RunConfig& config) {
  return config.augment.fill_mode == FillMode::kConstant;
}
bool has_colours(const RunConfig& config) {
  return config.color_mode == ColorMode::kRgb;
}

constexpr Belonging kBelongings[] = {
    {"augment.random_resized_crop_scale", crops, "augment.random_resized_crop is off"},
    {"augment.random_resized_crop_ratio", crops, "augment.random_resized_crop is off"},
    {"augment.random_erasing_scale", erases, "augment.random_erasing is 0"},
    {"augment.random_erasing_ratio", erases, "augment.random_erasing is 0"},
    {"augment.random_erasing_value", erases, "augment.random_erasing is 0"},
    {"augment.rand_augment_ops", draws_rand_augment,
     "augment.auto_augment is not \"rand_augment\""},
    {"augment.rand_augment_magnitude", draws_rand_augment,
     "augment.auto_augment is not \"rand_augment\""},
    {"augment.cval", fills_constant, "augment.fill_mode is not \"constant\""},
    {"augment.saturation_range", has_colours, "color_mode is \"grayscale\""},
    {"augment.hue_range", has_colours, "color_mode is \"grayscale\""},
};

}  // namespace

std::vector<std::string> idle_settings(const RunConfig& config) {
  RunConfig none;
  none.augment = AugmentConfig{};
  std::vector<std::string> sentences;
  for (const Belonging& belonging : kBelongings) {
    const RunKey& key = *find_run_key(belonging.key);
    const std::string given = format_toml(*key.write(config));
    if (belonging.is_on(config) || given == format_toml(*key.write(none))) continue;
    sentences.push_back(std::string(belonging.key) + " " + given +
                        " does nothing: " + std::string(belonging.otherwise));
  }
  return sentences;
}

}  // namespace penstock::train
