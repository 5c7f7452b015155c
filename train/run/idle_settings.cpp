#include "train/run/idle_settings.h"

#include <algorithm>
#include <span>
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

using Names = std::span<const std::string_view>;

bool holds(Names names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// Whether some optimizer has a setting of its own of that name.
bool is_of_an_optimizer(std::string_view name) {
  constexpr OptimizerKind kKinds[] = {OptimizerKind::kSgd, OptimizerKind::kAdam,
                                      OptimizerKind::kAdamw, OptimizerKind::kRmsprop,
                                      OptimizerKind::kLamb};
  return std::ranges::any_of(kKinds,
                             [&](OptimizerKind kind) { return holds(own_settings(kind), name); });
}

bool is_of_a_schedule(std::string_view name) {
  constexpr ScheduleKind kKinds[] = {ScheduleKind::kConstant,   ScheduleKind::kOneCycle,
                                     ScheduleKind::kStep,       ScheduleKind::kCosine,
                                     ScheduleKind::kPolynomial, ScheduleKind::kExponential};
  return std::ranges::any_of(kKinds,
                             [&](ScheduleKind kind) { return holds(own_settings(kind), name); });
}

/// Those of another optimizer or schedule that are not as that one's defaults have them.
void add_idle_rules(const RunConfig& config, std::vector<std::string>& sentences) {
  RunConfig usual;
  usual.optimizer = OptimizerConfig::of(config.optimizer.kind);
  usual.schedule = ScheduleConfig::of(config.schedule.kind);
  for (const RunKey& key : run_keys()) {
    if (is_heeded(key.name, config)) continue;
    const auto given = key.write(config);
    const auto ordinary = key.write(usual);
    const std::string text = given ? format_toml(*given) : "[]";
    if (text == (ordinary ? format_toml(*ordinary) : "[]")) continue;
    const bool is_schedule = is_of_a_schedule(key.name);
    sentences.push_back(
        std::string(key.name) + " " + text + " does nothing: " +
        (is_schedule ? "schedule is \"" + std::string(schedule_name(config.schedule.kind))
                     : "optimizer is \"" + std::string(optimizer_name(config.optimizer.kind))) +
        "\"");
  }
}

}  // namespace

bool is_heeded(std::string_view key, const RunConfig& config) {
  if (is_of_an_optimizer(key)) return holds(own_settings(config.optimizer.kind), key);
  if (is_of_a_schedule(key)) return holds(own_settings(config.schedule.kind), key);
  return true;
}

std::vector<std::string> idle_settings(const RunConfig& config) {
  RunConfig none;
  none.augment = AugmentConfig{};
  std::vector<std::string> sentences;
  add_idle_rules(config, sentences);
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
