#include <algorithm>
#include <cmath>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/name_list.h"
#include "streamer/core/nearest_name.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"
#include "train/optim/schedule.h"

namespace penstock::train {
namespace {

constexpr const char* kOwner = "schedule";

// No switch over ScheduleKind has a default: the compiler names those that miss a new one.
constexpr std::string_view name_of(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::kConstant:
      return "constant";
    case ScheduleKind::kOneCycle:
      return "one_cycle";
    case ScheduleKind::kStep:
      return "step";
    case ScheduleKind::kCosine:
      return "cosine";
    case ScheduleKind::kPolynomial:
      return "polynomial";
    case ScheduleKind::kExponential:
      return "exponential";
  }
  return {};
}

constexpr auto kNames = names_in_order<ScheduleKind, name_of>();

constexpr std::string_view kConstantSettings[] = {"warmup_steps", "warmup_epochs",
                                                  "warmup_start_factor"};
constexpr std::string_view kOneCycleSettings[] = {"warmup_fraction", "div_factor",
                                                  "final_div_factor"};
constexpr std::string_view kStepSettings[] = {"warmup_steps",        "warmup_epochs",
                                              "warmup_start_factor", "milestone_epochs",
                                              "step_epochs",         "gamma"};
constexpr std::string_view kCosineSettings[] = {"warmup_steps", "warmup_epochs",
                                                "warmup_start_factor", "end_learning_rate"};
constexpr std::string_view kPolynomialSettings[] = {
    "warmup_steps", "warmup_epochs", "warmup_start_factor", "end_learning_rate", "power"};
constexpr std::string_view kExponentialSettings[] = {"warmup_steps", "warmup_epochs",
                                                     "warmup_start_factor", "gamma"};

// The comparisons are written so that NaN fails them.
void check_one_cycle(const ScheduleConfig& config) {
  if (!(config.warmup_fraction > 0 && config.warmup_fraction < 1)) {
    refuse_setting({kOwner, "warmup_fraction", "above 0 and below 1",
                    number_text(config.warmup_fraction), "warmup_fraction = 0.2"});
  }
  if (!(config.div_factor >= 1 && std::isfinite(config.div_factor))) {
    refuse_setting({kOwner, "div_factor", "a finite number, 1 or more",
                    number_text(config.div_factor), "div_factor = 25"});
  }
  if (!(config.final_div_factor >= 1 && std::isfinite(config.final_div_factor))) {
    refuse_setting({kOwner, "final_div_factor", "a finite number, 1 or more",
                    number_text(config.final_div_factor), "final_div_factor = 1e4"});
  }
}

void check_milestones(const std::vector<std::uint32_t>& epochs) {
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    const std::uint32_t low = i == 0 ? 0 : epochs[i - 1];
    if (epochs[i] > low) continue;
    refuse_setting({kOwner, "milestone_epochs", "ascending epochs, 1 or more",
                    std::to_string(epochs[i]) + " after " + std::to_string(low),
                    "milestone_epochs = [30, 60, 80]"});
  }
}

void check_decay(const ScheduleConfig& config) {
  check_milestones(config.milestone_epochs);
  check_range({kOwner, "step_epochs", config.step_epochs, 1, 100'000, "step_epochs = 30"});
  if (!(config.gamma > 0 && config.gamma <= 1)) {
    refuse_setting(
        {kOwner, "gamma", "above 0, at most 1", number_text(config.gamma), "gamma = 0.1"});
  }
  if (!(config.end_learning_rate >= 0 && std::isfinite(config.end_learning_rate))) {
    refuse_setting({kOwner, "end_learning_rate", "a finite number, 0 or more",
                    number_text(config.end_learning_rate), "end_learning_rate = 0"});
  }
  if (!(config.power > 0 && std::isfinite(config.power))) {
    refuse_setting(
        {kOwner, "power", "a finite number above 0", number_text(config.power), "power = 1"});
  }
}

void check_warmup(const ScheduleConfig& config) {
  if (!(config.warmup_epochs >= 0 && config.warmup_epochs <= 1e5)) {
    refuse_setting({kOwner, "warmup_epochs", "0 to 1e5", number_text(config.warmup_epochs),
                    "warmup_epochs = 5"});
  }
  if (!(config.warmup_start_factor > 0 && config.warmup_start_factor <= 1)) {
    refuse_setting({kOwner, "warmup_start_factor", "above 0, at most 1",
                    number_text(config.warmup_start_factor), "warmup_start_factor = 0.01"});
  }
  if (config.warmup_steps == 0 && config.warmup_epochs == 0) return;
  const std::string_view given = config.warmup_steps > 0 ? "warmup_steps" : "warmup_epochs";
  if (config.kind == ScheduleKind::kOneCycle) {
    refuse_setting({kOwner, given, "0 with one_cycle, which has its own warm-up",
                    config.warmup_steps > 0 ? std::to_string(config.warmup_steps)
                                            : number_text(config.warmup_epochs),
                    "warmup_fraction = 0.2"});
  }
  if (config.warmup_steps > 0 && config.warmup_epochs > 0) {
    refuse_setting({kOwner, "warmup_steps", "0 with warmup_epochs",
                    std::to_string(config.warmup_steps), "warmup_steps = 0"});
  }
}

}  // namespace

std::span<const std::string_view> schedule_names() {
  return kNames;
}

std::string_view schedule_name(ScheduleKind kind) {
  return name_of(kind);
}

ScheduleKind parse_schedule(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  if (found != kNames.end()) return static_cast<ScheduleKind>(found - kNames.begin());
  throw Error(ErrorCode::kInvalidArgument,
              "schedule: expected " + name_choice(kNames) + ", found \"" + std::string(name) + "\"",
              nearest_name_hint(name, kNames));
}

ScheduleConfig ScheduleConfig::of(ScheduleKind kind) {
  ScheduleConfig config{.kind = kind};
  if (kind == ScheduleKind::kExponential) config.gamma = 0.95;
  return config;
}

std::span<const std::string_view> own_settings(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::kConstant:
      return kConstantSettings;
    case ScheduleKind::kOneCycle:
      return kOneCycleSettings;
    case ScheduleKind::kStep:
      return kStepSettings;
    case ScheduleKind::kCosine:
      return kCosineSettings;
    case ScheduleKind::kPolynomial:
      return kPolynomialSettings;
    case ScheduleKind::kExponential:
      return kExponentialSettings;
  }
  return {};
}

void ScheduleConfig::validate() const {
  check_one_cycle(*this);
  check_decay(*this);
  check_warmup(*this);
}

}  // namespace penstock::train
