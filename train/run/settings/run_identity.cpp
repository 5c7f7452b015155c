#include "train/run/settings/run_identity.h"

#include <sstream>

#include "streamer/core/checksum.h"
#include "train/run/settings/device_choice.h"
#include "train/run/settings/idle_settings.h"
#include "train/run/settings/param_group_tables.h"
#include "train/run/settings/run_keys.h"
#include "train/run/settings/run_values.h"

namespace penstock::train {

namespace {

/// Settings that came later: named where they are not as in a run without them.
std::string rule_settings(const RunConfig& config) {
  constexpr std::string_view kLater[] = {"optimizer",
                                         "beta1",
                                         "beta2",
                                         "alpha",
                                         "epsilon",
                                         "l1",
                                         "decays_norm_and_bias",
                                         "clip_norm",
                                         "clip_value",
                                         "milestone_epochs",
                                         "step_epochs",
                                         "gamma",
                                         "end_learning_rate",
                                         "power",
                                         "warmup_steps",
                                         "warmup_epochs",
                                         "warmup_start_factor",
                                         "loss",
                                         "focal_gamma",
                                         "focal_alpha",
                                         "class_weights",
                                         "max_skipped_steps",
                                         "steps_per_epoch",
                                         "ema_decay",
                                         "ema_warmup",
                                         "early_stopping.monitor",
                                         "early_stopping.patience",
                                         "early_stopping.min_delta",
                                         "early_stopping.restore_best_weights",
                                         "reduce_on_plateau.monitor",
                                         "reduce_on_plateau.factor",
                                         "reduce_on_plateau.patience",
                                         "reduce_on_plateau.min_delta",
                                         "reduce_on_plateau.delta_mode",
                                         "reduce_on_plateau.cooldown",
                                         "reduce_on_plateau.min_learning_rate"};
  std::string text;
  const RunConfig without;
  for (const std::string_view name : kLater) {
    if (!is_heeded(name, config)) continue;
    const RunKey& key = *find_run_key(name);
    const auto value = key.write(config);
    const auto usual = key.write(without);
    if (!value || (usual && format_toml(*value) == format_toml(*usual))) continue;
    text += "rule." + std::string(name) + "=" + format_toml(*value) + "\n";
  }
  return text;
}

/// What freezes and groups say, where they say something.
std::string learning_settings(const RunConfig& config) {
  if (config.freeze.empty() && config.param_groups.empty()) return {};
  std::string text = "freeze_norm=" + std::to_string(config.freeze_norm) + "\n";
  for (const std::string& pattern : config.freeze) text += "freeze=" + pattern + "\n";
  return text + format_param_groups(config.param_groups);
}

}  // namespace

RunIdentity run_identity(const IdentityParts& parts) {
  const RunConfig& config = parts.config;
  std::ostringstream text;
  text << "run.format=1\n"
       << parts.pipeline << "run.epochs=" << config.epochs << '\n'
       << "run.batch_size=" << config.batch_size << '\n'
       << "run.seed=" << config.seed << '\n'
       << "run.label_smoothing=" << format_number(config.label_smoothing) << '\n'
       << "sgd.learning_rate=" << format_number(config.optimizer.learning_rate) << '\n'
       << "sgd.momentum=" << format_number(config.optimizer.momentum) << '\n'
       << "sgd.nesterov=" << config.optimizer.nesterov << '\n'
       << "sgd.weight_decay=" << format_number(config.optimizer.weight_decay) << '\n'
       << "schedule=" << schedule_name(config.schedule.kind) << '\n'
       << "schedule.warmup_fraction=" << format_number(config.schedule.warmup_fraction) << '\n'
       << "schedule.div_factor=" << format_number(config.schedule.div_factor) << '\n'
       << "schedule.final_div_factor=" << format_number(config.schedule.final_div_factor) << '\n'
       << "backend=" << backend_on(config.device, config.backend) << '\n'
       << "backend.description=" << parts.backend << '\n'
       << parts.graph.identity();
  // Without batch norm too: sums of parts are rounded otherwise.
  if (config.micro_batch != 0 && config.micro_batch != config.batch_size) {
    text << "run.micro_batch=" << config.micro_batch << '\n';
  }
  text << rule_settings(config) << learning_settings(config);
  if (!parts.initial_weights.empty()) text << "initial_weights=" << parts.initial_weights << '\n';
  // The same of a precision: runs without the setting were float32.
  if (config.precision != ComputeType::kFloat32) {
    text << "run.precision=" << compute_type_name(config.precision) << '\n';
  }
  if (config.is_on_gpu() && config.deterministic) text << "run.deterministic=true\n";
  RunIdentity identity{.text = text.str()};
  identity.hash = xxh3_64(identity.text);
  return identity;
}

}  // namespace penstock::train
