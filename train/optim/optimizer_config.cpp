#include "train/optim/optimizer_config.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>

#include "streamer/core/error.h"
#include "streamer/core/name_list.h"
#include "streamer/core/nearest_name.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

static_assert(std::is_trivially_copyable_v<OptimizerConfig>);

// No switch over OptimizerKind has a default: the compiler names those that miss a new one.
constexpr std::string_view name_of(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::kSgd:
      return "sgd";
    case OptimizerKind::kAdam:
      return "adam";
    case OptimizerKind::kAdamw:
      return "adamw";
    case OptimizerKind::kRmsprop:
      return "rmsprop";
    case OptimizerKind::kLamb:
      return "lamb";
  }
  return {};
}

constexpr auto kNames = names_in_order<OptimizerKind, name_of>();

constexpr std::string_view kSgdSettings[] = {"momentum", "nesterov"};
constexpr std::string_view kAdamSettings[] = {"beta1", "beta2", "epsilon"};
constexpr std::string_view kRmspropSettings[] = {"alpha", "momentum", "epsilon"};

constexpr std::string_view kMomentum[] = {"momentum"};
constexpr std::string_view kMoments[] = {"exp_avg", "exp_avg_sq"};
constexpr std::string_view kSquareAndMomentum[] = {"square_avg", "momentum"};

struct Setting {
  std::string_view field;
  double value = 0;
  std::string_view hint;
};

// The comparisons are written so that NaN fails them.
void check_share(std::string_view owner, const Setting& setting) {
  if (setting.value >= 0 && setting.value < 1) return;
  refuse_setting({owner, setting.field, "0 to below 1", number_text(setting.value), setting.hint});
}

void check_above_0(std::string_view owner, const Setting& setting) {
  if (setting.value > 0 && std::isfinite(setting.value)) return;
  refuse_setting(
      {owner, setting.field, "a finite number above 0", number_text(setting.value), setting.hint});
}

void check_from_0(std::string_view owner, const Setting& setting) {
  if (setting.value >= 0 && std::isfinite(setting.value)) return;
  refuse_setting({owner, setting.field, "a finite number, 0 or more", number_text(setting.value),
                  setting.hint});
}

}  // namespace

std::span<const std::string_view> optimizer_names() {
  return kNames;
}

std::string_view optimizer_name(OptimizerKind kind) {
  return name_of(kind);
}

OptimizerKind parse_optimizer(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  if (found != kNames.end()) return static_cast<OptimizerKind>(found - kNames.begin());
  throw Error(
      ErrorCode::kInvalidArgument,
      "optimizer: expected " + name_choice(kNames) + ", found \"" + std::string(name) + "\"",
      nearest_name_hint(name, kNames));
}

OptimizerConfig OptimizerConfig::of(OptimizerKind kind) {
  OptimizerConfig config{.kind = kind};
  if (kind == OptimizerKind::kSgd) return config;
  config.learning_rate = 1e-3;
  config.momentum = 0;
  config.nesterov = false;
  config.weight_decay = 0;
  switch (kind) {
    case OptimizerKind::kSgd:
    case OptimizerKind::kAdam:
      break;
    case OptimizerKind::kAdamw:
      config.weight_decay = 1e-2;
      break;
    case OptimizerKind::kRmsprop:
      config.learning_rate = 1e-2;
      break;
    case OptimizerKind::kLamb:
      config.weight_decay = 1e-2;
      config.epsilon = 1e-6;
      break;
  }
  return config;
}

void OptimizerConfig::validate() const {
  const std::string_view owner = optimizer_name(kind);
  check_above_0(owner,
                {"learning_rate", learning_rate,
                 kind == OptimizerKind::kSgd ? "learning_rate = 0.1" : "learning_rate = 1e-3"});
  check_share(owner, {"momentum", momentum, "momentum = 0.9"});
  check_from_0(owner, {"weight_decay", weight_decay, "weight_decay = 5e-4"});
  check_share(owner, {"beta1", beta1, "beta1 = 0.9"});
  check_share(owner, {"beta2", beta2, "beta2 = 0.999"});
  check_share(owner, {"alpha", alpha, "alpha = 0.99"});
  check_above_0(owner, {"epsilon", epsilon, "epsilon = 1e-8"});
  check_from_0(owner, {"l1", l1, "l1 = 1e-5"});
  check_from_0(owner, {"clip_norm", clip_norm, "clip_norm = 1"});
  check_from_0(owner, {"clip_value", clip_value, "clip_value = 0.5"});
  if (clip_norm > 0 && clip_value > 0) {
    refuse_setting(
        {owner, "clip_value", "0 with clip_norm", number_text(clip_value), "clip_value = 0"});
  }
  check_share(owner, {"ema_decay", ema_decay, "ema_decay = 0.999"});
  if (ema_warmup && ema_decay == 0) {
    refuse_setting({owner, "ema_decay", "above 0 with ema_warmup", "0", "ema_decay = 0.999"});
  }
}

std::span<const std::string_view> own_settings(OptimizerKind kind) {
  switch (kind) {
    case OptimizerKind::kSgd:
      return kSgdSettings;
    case OptimizerKind::kRmsprop:
      return kRmspropSettings;
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamw:
    case OptimizerKind::kLamb:
      return kAdamSettings;
  }
  return {};
}

std::span<const std::string_view> state_names(const OptimizerConfig& config) {
  const std::span<const std::string_view> square_and_momentum = kSquareAndMomentum;
  switch (config.kind) {
    case OptimizerKind::kSgd:
      if (config.momentum > 0) return kMomentum;
      return {};
    case OptimizerKind::kRmsprop:
      return square_and_momentum.first(config.momentum > 0 ? 2 : 1);
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamw:
    case OptimizerKind::kLamb:
      return kMoments;
  }
  return {};
}

}  // namespace penstock::train
