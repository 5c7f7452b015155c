#include "train/run/settings/special_keys.h"

#include <cstdint>
#include <optional>
#include <string>

#include "streamer/core/number_text.h"
#include "train/run/settings/run_values.h"
#include "train/run/settings/setting_types.h"
#include "train/run/settings/time_limit.h"

namespace penstock::train {
namespace {

std::optional<SidesPx> sides_px(const TomlValue& value) {
  if (const auto* text = value.as<std::string>()) return parse_sides_px(*text);
  const auto side = as_whole(value, UINT32_MAX);
  return side ? parse_sides_px(std::to_string(*side)) : std::nullopt;
}

/// A flag's text.
std::optional<std::uint64_t> whole_number(const std::string& text) {
  return parse_digits<std::uint32_t>(text);
}

}  // namespace

void read_model(TomlReader& reader, std::string_view key, RunConfig& config) {
  const auto name = reader.text(key);
  if (!name) return;
  if (name->empty()) reader.refuse(key, "a name", "none");
  config.model = *name;
  config.model_layers.clear();
}

std::optional<TomlValue> write_model(const RunConfig& config) {
  if (config.model.empty()) return std::nullopt;
  return setting_value(config.model);
}

void read_image_size(TomlReader& reader, std::string_view key, RunConfig& config) {
  const TomlValue* value = reader.find(key);
  if (value == nullptr) return;
  const auto sides = sides_px(*value);
  if (!sides) reader.refuse(key, "pixels such as 96 or \"160x224\"", *value);
  config.image_height_px = sides->height;
  config.image_width_px = sides->width;
}

std::optional<TomlValue> write_image_size(const RunConfig& config) {
  if (config.image_height_px == 0) return std::nullopt;
  return setting_value(std::to_string(config.image_height_px) + "x" +
                       std::to_string(config.image_width_px));
}

void read_batch_size(TomlReader& reader, std::string_view key, RunConfig& config) {
  const TomlValue* value = reader.find(key);
  if (value == nullptr) return;
  // A run that was stored whole is whole with another batch, too.
  if (config.micro_batch == config.batch_size) config.micro_batch = 0;
  const auto* text = value->as<std::string>();
  const auto samples = text == nullptr ? as_whole(*value, UINT32_MAX) : whole_number(*text);
  if (text != nullptr && *text == "all") {
    config.batch_size = kWholeEpoch;
  } else if (samples && *samples > 0) {
    config.batch_size = static_cast<std::uint32_t>(*samples);
  } else {
    reader.refuse(key, "1 to 65536 or \"all\"", *value);
  }
}

std::optional<TomlValue> write_batch_size(const RunConfig& config) {
  if (config.batch_size == kWholeEpoch) return setting_value(std::string("all"));
  return setting_value(config.batch_size);
}

void read_micro_batch(TomlReader& reader, std::string_view key, RunConfig& config) {
  read_setting(reader, key, config.micro_batch);
}

std::optional<TomlValue> write_micro_batch(const RunConfig& config) {
  if (config.micro_batch == 0) return std::nullopt;
  return setting_value(config.micro_batch);
}

void read_recompute(TomlReader& reader, std::string_view key, RunConfig& config) {
  if (const auto name = reader.text(key)) config.recompute = parse_recompute(*name);
}

std::optional<TomlValue> write_recompute(const RunConfig& config) {
  if (config.recompute == RecomputeWish::kAuto) return std::nullopt;
  return setting_value(std::string(recompute_wish_name(config.recompute)));
}

void read_auto_batch(TomlReader& reader, std::string_view key, RunConfig& config) {
  read_setting(reader, key, config.auto_batch);
}

std::optional<TomlValue> write_auto_batch(const RunConfig& config) {
  if (config.auto_batch) return std::nullopt;
  return setting_value(false);
}

void read_optimizer(TomlReader& reader, std::string_view key, RunConfig& config) {
  const auto name = reader.text(key);
  if (!name) return;
  const OptimizerKind kind = parse_optimizer(*name);
  if (kind == config.optimizer.kind) return;
  OptimizerConfig other = OptimizerConfig::of(kind);
  other.l1 = config.optimizer.l1;
  other.decays_norm_and_bias = config.optimizer.decays_norm_and_bias;
  other.clip_norm = config.optimizer.clip_norm;
  other.clip_value = config.optimizer.clip_value;
  other.ema_decay = config.optimizer.ema_decay;
  other.ema_warmup = config.optimizer.ema_warmup;
  config.optimizer = other;
}

std::optional<TomlValue> write_optimizer(const RunConfig& config) {
  return setting_value(std::string(optimizer_name(config.optimizer.kind)));
}

void read_schedule(TomlReader& reader, std::string_view key, RunConfig& config) {
  const auto name = reader.text(key);
  if (!name) return;
  const ScheduleKind kind = parse_schedule(*name);
  if (kind == config.schedule.kind) return;
  config.schedule.gamma = ScheduleConfig::of(kind).gamma;
  config.schedule.kind = kind;
}

std::optional<TomlValue> write_schedule(const RunConfig& config) {
  return setting_value(std::string(schedule_name(config.schedule.kind)));
}

void read_class_weights(TomlReader& reader, std::string_view key, RunConfig& config) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  const auto* word = found->as<std::string>();
  const bool is_word = word != nullptr && (*word == "balanced" || *word == "none");
  if (!is_word && found->as<TomlList>() == nullptr) {
    reader.refuse(key, "numbers, one for each class, \"balanced\" or \"none\"", *found);
  }
  config.balances_classes = is_word && *word == "balanced";
  config.class_weights.clear();
  if (is_word) return;
  if (const auto numbers = reader.numbers(key)) config.class_weights = *numbers;
}

std::optional<TomlValue> write_class_weights(const RunConfig& config) {
  if (config.balances_classes) return setting_value(std::string("balanced"));
  if (config.class_weights.empty()) return setting_value(std::string("none"));
  return setting_value(config.class_weights);
}

void read_window(TomlReader& reader, std::string_view key, RunConfig& config) {
  read_size(reader, key, config.window_bytes);
}

std::optional<TomlValue> write_window(const RunConfig& config) {
  if (config.order != SampleOrder::kWindowed) return std::nullopt;
  return setting_value(format_size_bytes(config.window_bytes));
}

void read_memory(TomlReader& reader, std::string_view key, RunConfig& config) {
  if (reader.find(key) != nullptr) config.has_default_memory = false;
  read_size(reader, key, config.memory_bytes);
}

std::optional<TomlValue> write_memory(const RunConfig& config) {
  if (config.memory_bytes == 0 || config.has_default_memory) return std::nullopt;
  return setting_value(format_size_bytes(config.memory_bytes));
}

void read_memory_gpu(TomlReader& reader, std::string_view key, RunConfig& config) {
  read_size(reader, key, config.memory_gpu_bytes);
}

std::optional<TomlValue> write_memory_gpu(const RunConfig& config) {
  if (config.memory_gpu_bytes == 0) return std::nullopt;
  return setting_value(format_size_bytes(config.memory_gpu_bytes));
}

void read_max_time(TomlReader& reader, std::string_view key, RunConfig& config) {
  const TomlValue* value = reader.find(key);
  if (value == nullptr) return;
  const auto* text = value->as<std::string>();
  const auto number = as_number(*value);
  const std::string typed = text != nullptr ? *text : number ? number_text(*number) : "";
  const bool is_none = typed == "0" || typed == "none";
  const auto minutes = is_none ? std::optional(0.0) : parse_time_limit(typed);
  if (!minutes) reader.refuse(key, "a time such as \"2h30m\", minutes, or none", *value);
  config.checkpoint.max_minutes = *minutes;
}

std::optional<TomlValue> write_max_time(const RunConfig& config) {
  if (config.checkpoint.max_minutes == 0) return std::nullopt;
  return setting_value(format_time_limit(config.checkpoint.max_minutes));
}

void read_preset(TomlReader& reader, std::string_view key, RunConfig& config) {
  if (const auto name = reader.text(key)) config.augment = augment::AugmentConfig::preset(*name);
}

std::optional<TomlValue> write_nothing(const RunConfig&) {
  return std::nullopt;
}

}  // namespace penstock::train
