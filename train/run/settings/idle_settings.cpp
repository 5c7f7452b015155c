#include "train/run/settings/idle_settings.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "streamer/core/number_text.h"
#include "train/graph/toml_table.h"
#include "train/run/settings/run_keys.h"

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

bool may_leave_remainder(const RunConfig& config) {
  return config.batch_size != kWholeEpoch;
}

bool freezes(const RunConfig& config) {
  return !config.freeze.empty() ||
         std::ranges::any_of(config.param_groups, [](const ParamGroup& group) {
           return group.first_trainable_epoch > 0;
         });
}

constexpr Belonging kBelongings[] = {
    {"drop_remainder", may_leave_remainder, "batch_size is \"all\""},
    {"freeze_norm", freezes, "nothing is frozen"},
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

bool is_focal(const RunConfig& config) {
  return config.loss == LossKind::kSoftmaxFocal;
}

bool is_on_gpu(const RunConfig& config) {
  return config.device != "cpu";
}

bool copies_pixels(const RunConfig& config) {
  return is_on_gpu(config) && config.augment_on != "gpu";
}

bool has_ema(const RunConfig& config) {
  return config.has_ema();
}
bool stops_early(const RunConfig& config) {
  return config.stops_early();
}
bool reduces_on_plateau(const RunConfig& config) {
  return config.reduces_on_plateau();
}

constexpr std::string_view kNoStopping = "early_stopping.patience is 0";
constexpr std::string_view kOnCpu = "the run computes on the CPU";
constexpr std::string_view kNoReduction = "reduce_on_plateau.factor is 1";

/// The same of keys that a run is stored without when they do nothing.
constexpr Belonging kOptional[] = {
    {"focal_gamma", is_focal, "loss is not \"focal\""},
    {"focal_alpha", is_focal, "loss is not \"focal\""},
    {"ema_warmup", has_ema, "ema_decay is 0"},
    {"memory_gpu", is_on_gpu, kOnCpu},
    {"deterministic", is_on_gpu, kOnCpu},
    {"batch_element", copies_pixels, "no finished pixels go to a GPU"},
    {"augment_on", is_on_gpu, kOnCpu},
    {"early_stopping.monitor", stops_early, kNoStopping},
    {"early_stopping.min_delta", stops_early, kNoStopping},
    {"early_stopping.restore_best_weights", stops_early, kNoStopping},
    {"reduce_on_plateau.monitor", reduces_on_plateau, kNoReduction},
    {"reduce_on_plateau.patience", reduces_on_plateau, kNoReduction},
    {"reduce_on_plateau.min_delta", reduces_on_plateau, kNoReduction},
    {"reduce_on_plateau.delta_mode", reduces_on_plateau, kNoReduction},
    {"reduce_on_plateau.cooldown", reduces_on_plateau, kNoReduction},
    {"reduce_on_plateau.min_learning_rate", reduces_on_plateau, kNoReduction},
};

const Belonging* find_optional(std::string_view key) {
  const auto found = std::ranges::find(kOptional, key, &Belonging::key);
  return found == std::end(kOptional) ? nullptr : found;
}

/// A list that is empty is written in no file.
std::string value_text(const RunKey& key, const RunConfig& config) {
  const auto value = key.write(config);
  return value ? format_toml(*value) : "[]";
}

void add_idle(std::span<const Belonging> belongings, const RunConfig& config,
              const RunConfig& usual, std::vector<std::string>& sentences) {
  for (const Belonging& belonging : belongings) {
    const RunKey& key = *find_run_key(belonging.key);
    const std::string given = value_text(key, config);
    if (belonging.is_on(config) || given == value_text(key, usual)) continue;
    sentences.push_back(std::string(belonging.key) + " " + given +
                        " does nothing: " + std::string(belonging.otherwise));
  }
}

using Names = std::span<const std::string_view>;

bool holds(Names names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// Whether some optimizer has a setting of its own of that name.
bool is_of_an_optimizer(std::string_view name) {
  return std::ranges::any_of(optimizer_names(), [&](std::string_view optimizer) {
    return holds(own_settings(parse_optimizer(optimizer)), name);
  });
}

bool is_of_a_schedule(std::string_view name) {
  return std::ranges::any_of(schedule_names(), [&](std::string_view schedule) {
    return holds(own_settings(parse_schedule(schedule)), name);
  });
}

/// Those of another optimizer or schedule that are not as that one's defaults have them.
void add_idle_rules(const RunConfig& config, std::vector<std::string>& sentences) {
  RunConfig usual;
  usual.optimizer = OptimizerConfig::of(config.optimizer.kind);
  usual.schedule = ScheduleConfig::of(config.schedule.kind);
  for (const RunKey& key : run_keys()) {
    if (is_heeded(key.name, config) || find_optional(key.name) != nullptr) continue;
    const std::string text = value_text(key, config);
    if (text == value_text(key, usual)) continue;
    const bool is_schedule = is_of_a_schedule(key.name);
    sentences.push_back(
        std::string(key.name) + " " + text + " does nothing: " +
        (is_schedule ? "schedule is \"" + std::string(schedule_name(config.schedule.kind))
                     : "optimizer is \"" + std::string(optimizer_name(config.optimizer.kind))) +
        "\"");
  }
}

/// `nesterov` is on by default: it is not refused beside momentum = 0.
void add_idle_nesterov(const OptimizerConfig& optimizer, std::vector<std::string>& sentences) {
  const bool is_idle =
      optimizer.kind == OptimizerKind::kSgd && optimizer.nesterov && optimizer.momentum == 0;
  if (is_idle) sentences.emplace_back("nesterov true does nothing: momentum is 0");
}

bool warms_up_beyond(const RunConfig& config, std::uint64_t num_steps) {
  const bool by_steps = num_steps > 0 && config.schedule.warmup_steps >= num_steps;
  return by_steps || config.schedule.warmup_epochs >= config.epochs;
}

/// Of the schedule, what is to come when the run has ended.
void add_unreached(const RunConfig& config, std::uint64_t num_steps,
                   std::vector<std::string>& sentences) {
  const ScheduleConfig& schedule = config.schedule;
  const std::string epochs =
      std::to_string(config.epochs) + (config.epochs == 1 ? " epoch" : " epochs");
  if (schedule.kind != ScheduleKind::kOneCycle && warms_up_beyond(config, num_steps)) {
    const bool by_steps = schedule.warmup_steps > 0;
    sentences.push_back(
        (by_steps ? "warmup_steps " + std::to_string(schedule.warmup_steps)
                  : "warmup_epochs " + number_text(schedule.warmup_epochs)) +
        " takes the whole run of " + (by_steps ? std::to_string(num_steps) + " steps" : epochs) +
        ": learning_rate " + number_text(config.optimizer.learning_rate) + " is never reached");
  }
  if (schedule.kind != ScheduleKind::kStep) return;
  if (schedule.milestone_epochs.empty()) {
    if (schedule.step_epochs < config.epochs) return;
    sentences.push_back("schedule \"step\" never lowers the rate: step_epochs is " +
                        std::to_string(schedule.step_epochs) + ", the run has " + epochs);
    return;
  }
  for (const std::uint32_t milestone : schedule.milestone_epochs) {
    if (milestone < config.epochs) continue;
    sentences.push_back("milestone_epochs " + std::to_string(milestone) +
                        " does nothing: the run has " + epochs);
  }
}

}  // namespace

bool is_heeded(std::string_view key, const RunConfig& config) {
  if (is_of_an_optimizer(key)) return holds(own_settings(config.optimizer.kind), key);
  if (is_of_a_schedule(key)) return holds(own_settings(config.schedule.kind), key);
  const Belonging* optional = find_optional(key);
  return optional == nullptr || optional->is_on(config);
}

std::vector<std::string> idle_settings(const RunConfig& config, std::uint64_t num_steps) {
  RunConfig none;
  none.augment = AugmentConfig{};
  std::vector<std::string> sentences;
  add_idle_rules(config, sentences);
  add_idle_nesterov(config.optimizer, sentences);
  add_unreached(config, num_steps, sentences);
  add_idle(kOptional, config, none, sentences);
  add_idle(kBelongings, config, none, sentences);
  return sentences;
}

}  // namespace penstock::train
