#include "train/run/run_keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"
#include "streamer/core/number_text.h"
#include "train/run/run_values.h"
#include "train/run/time_limit.h"

namespace penstock::train {
namespace {

using augment::AugmentConfig;
using augment::AutoAugment;
using augment::DecodeScaling;
using augment::DrawRange;
using augment::FillMode;
using augment::Interpolation;

// Reading: one function for each type of a setting.

void read_field(TomlReader& reader, std::string_view key, std::string& value) {
  if (const auto found = reader.text(key)) value = *found;
}
void read_field(TomlReader& reader, std::string_view key, std::filesystem::path& value) {
  if (const auto found = reader.text(key)) value = *found;
}
void read_field(TomlReader& reader, std::string_view key, bool& value) {
  if (const auto found = reader.truth(key)) value = *found;
}
void read_field(TomlReader& reader, std::string_view key, double& value) {
  if (const auto found = reader.number(key)) value = *found;
}
void read_field(TomlReader& reader, std::string_view key, ColorMode& value) {
  if (const auto name = reader.text(key)) value = parse_color_mode(*name);
}
void read_field(TomlReader& reader, std::string_view key, ComputeType& value) {
  const auto name = reader.text(key);
  if (!name) return;
  const auto type = compute_type_of(*name);
  if (!type) {
    constexpr std::array<std::string_view, 2> kNames = {"float32", "bfloat16"};
    throw Error(ErrorCode::kInvalidArgument,
                "run: precision: expected \"float32\" or \"bfloat16\", found " +
                    describe_toml(*reader.find(key)),
                nearest_name_hint(*name, kNames));
  }
  value = *type;
}
template <std::unsigned_integral T>
void read_field(TomlReader& reader, std::string_view key, T& value) {
  constexpr std::uint64_t kMost = std::min<std::uint64_t>(std::numeric_limits<T>::max(), INT64_MAX);
  if (const auto found = reader.whole(key, kMost)) value = static_cast<T>(*found);
}
void read_field(TomlReader& reader, std::string_view key, std::vector<std::uint32_t>& value) {
  const auto numbers = reader.numbers(key);
  if (!numbers) return;
  value.clear();
  for (const double number : *numbers) {
    if (!(number >= 0 && number <= UINT32_MAX && number == std::floor(number))) {
      reader.refuse(key, "a list of whole numbers", *reader.find(key));
    }
    value.push_back(static_cast<std::uint32_t>(number));
  }
}
/// One number may stand without brackets.
void read_field(TomlReader& reader, std::string_view key, std::vector<double>& value) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  if (const auto number = as_number(*found)) {
    value = {*number};
  } else if (const auto numbers = reader.numbers(key)) {
    value = *numbers;
  }
}
void read_field(TomlReader& reader, std::string_view key, DeltaMode& value) {
  const auto name = reader.text(key);
  if (!name) return;
  if (*name != "relative" && *name != "absolute") {
    reader.refuse(key, "\"relative\" or \"absolute\"", *reader.find(key));
  }
  value = *name == "relative" ? DeltaMode::kRelative : DeltaMode::kAbsolute;
}
void read_field(TomlReader& reader, std::string_view key, LossKind& value) {
  if (const auto name = reader.text(key)) value = parse_loss(*name);
}
/// Texts, or one.
void read_field(TomlReader& reader, std::string_view key, std::vector<std::string>& value) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  if (const auto* one = found->as<std::string>()) {
    value = {*one};
    return;
  }
  const auto* list = found->as<TomlList>();
  if (list == nullptr) reader.refuse(key, "a list of texts", *found);
  value.clear();
  for (const TomlValue& element : *list) {
    const auto* text = element.as<std::string>();
    if (text == nullptr) {
      reader.refuse(key, "a list of texts", "a list with " + describe_toml(element));
    }
    value.push_back(*text);
  }
}
void read_field(TomlReader& reader, std::string_view key, SampleOrder& value) {
  const auto name = reader.text(key);
  if (!name) return;
  const auto order = parse_sample_order(*name);
  if (!order) {
    constexpr std::array<std::string_view, 3> kNames = {"shuffle", "windowed", "sequential"};
    throw Error(ErrorCode::kInvalidArgument,
                "run: order: expected \"shuffle\", \"windowed\" or \"sequential\", found " +
                    describe_toml(*reader.find(key)),
                nearest_name_hint(*name, kNames));
  }
  value = *order;
}
void read_field(TomlReader& reader, std::string_view key, FillMode& value) {
  if (const auto name = reader.text(key)) value = augment::parse_fill_mode(*name);
}
void read_field(TomlReader& reader, std::string_view key, DecodeScaling& value) {
  if (const auto name = reader.text(key)) value = augment::parse_decode_scaling(*name);
}
void read_field(TomlReader& reader, std::string_view key, AutoAugment& value) {
  if (const auto name = reader.text(key)) value = augment::parse_auto_augment(*name);
}
void read_field(TomlReader& reader, std::string_view key, Interpolation& value) {
  if (const auto name = reader.text(key)) value = augment::parse_interpolation(*name);
}
void read_field(TomlReader& reader, std::string_view key, CacheForm& value) {
  if (const auto name = reader.text(key)) value = parse_cache_form(*name);
}
/// Two factors, or one number r for 1 - r to 1 + r.
void read_field(TomlReader& reader, std::string_view key, DrawRange& value) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  if (const auto r = as_number(*found)) {
    value = {1 - *r, 1 + *r};
    return;
  }
  const auto factors = found->as<TomlList>() ? reader.numbers(key) : std::nullopt;
  if (!factors || factors->size() != 2) reader.refuse(key, "a number, or a list of two", *found);
  value = {factors->front(), factors->back()};
}

// Writing.

std::optional<TomlValue> value_of(const std::string& text) {
  return TomlValue{text};
}
std::optional<TomlValue> value_of(const std::filesystem::path& path) {
  return path.empty() ? std::nullopt : value_of(path.native());
}
std::optional<TomlValue> value_of(bool truth) {
  return TomlValue{truth};
}
std::optional<TomlValue> value_of(double number) {
  return TomlValue{number};
}
std::optional<TomlValue> value_of(const std::vector<double>& numbers) {
  if (numbers.empty()) return std::nullopt;
  return TomlValue{list_of_numbers(numbers)};
}
template <std::unsigned_integral T>
std::optional<TomlValue> value_of(T number) {
  return TomlValue{static_cast<std::int64_t>(number)};
}
std::optional<TomlValue> value_of(const std::vector<std::uint32_t>& numbers) {
  return value_of(std::vector<double>(numbers.begin(), numbers.end()));
}
std::optional<TomlValue> value_of(const std::vector<std::string>& texts) {
  if (texts.empty()) return std::nullopt;
  TomlList list;
  for (const std::string& text : texts) list.push_back({text});
  return TomlValue{std::move(list)};
}
std::optional<TomlValue> value_of(SampleOrder order) {
  return value_of(std::string(sample_order_name(order)));
}
std::optional<TomlValue> value_of(DeltaMode mode) {
  return value_of(std::string(mode == DeltaMode::kRelative ? "relative" : "absolute"));
}
std::optional<TomlValue> value_of(LossKind loss) {
  return value_of(std::string(loss_name(loss)));
}
std::optional<TomlValue> value_of(FillMode mode) {
  return value_of(std::string(fill_mode_name(mode)));
}
std::optional<TomlValue> value_of(DecodeScaling scaling) {
  return value_of(std::string(decode_scaling_name(scaling)));
}
std::optional<TomlValue> value_of(ColorMode mode) {
  return value_of(std::string(color_mode_name(mode)));
}
std::optional<TomlValue> value_of(ComputeType type) {
  return value_of(std::string(compute_type_name(type)));
}
std::optional<TomlValue> value_of(AutoAugment policy) {
  return value_of(std::string(auto_augment_name(policy)));
}
std::optional<TomlValue> value_of(Interpolation interpolation) {
  return value_of(std::string(interpolation_name(interpolation)));
}
std::optional<TomlValue> value_of(CacheForm form) {
  return value_of(std::string(cache_form_name(form)));
}
std::optional<TomlValue> value_of(const DrawRange& range) {
  return value_of(std::vector{range.lo, range.hi});
}

template <class T>
constexpr KeyKind kind_of() {
  if (std::is_same_v<T, bool>) return KeyKind::kTruth;
  if (std::is_same_v<T, double>) return KeyKind::kNumber;
  if (std::is_same_v<T, DrawRange> || std::is_same_v<T, std::vector<double>> ||
      std::is_same_v<T, std::vector<std::uint32_t>>) {
    return KeyKind::kNumbers;
  }
  if (std::is_same_v<T, std::vector<std::string>>) return KeyKind::kTexts;
  return std::is_unsigned_v<T> ? KeyKind::kWhole : KeyKind::kText;
}

/// config.*first.*second
template <auto... Members, class Config>
auto& member_of(Config& config) {
  return (config.*....*Members);
}

/// A key that is one field of the settings; `Members` lead to it.
template <auto... Members>
constexpr RunKey field(std::string_view name, std::string_view example = {}) {
  using Type = std::remove_reference_t<decltype(member_of<Members...>(std::declval<RunConfig&>()))>;
  return {.name = name,
          .kind = kind_of<Type>(),
          .read = [](TomlReader& reader, std::string_view key,
                     RunConfig& config) { read_field(reader, key, member_of<Members...>(config)); },
          .write = [](const RunConfig& config) { return value_of(member_of<Members...>(config)); },
          .example = example};
}

// The keys that are not one field.

/// A probability, or true for 0.5 as Keras means it.
template <auto Member>
void read_chance(TomlReader& reader, std::string_view key, RunConfig& config) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  if (const auto* is_on = found->as<bool>()) {
    config.augment.*Member = *is_on ? 0.5 : 0.0;
  } else if (const auto number = as_number(*found)) {
    config.augment.*Member = *number;
  } else {
    reader.refuse(key, "true, false or a number", *found);
  }
}

/// A whole number of a setting with bounds of its own.
template <auto Member, std::uint32_t kLeast, std::uint32_t kMost>
void read_count(TomlReader& reader, std::string_view key, RunConfig& config) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  const auto count = as_whole(*found, kMost);
  if (!count || *count < kLeast) {
    reader.refuse(key,
                  "a whole number from " + std::to_string(kLeast) + " to " + std::to_string(kMost),
                  *found);
  }
  config.augment.*Member = static_cast<std::uint32_t>(*count);
}

template <auto Member, std::uint32_t kLeast, std::uint32_t kMost>
constexpr RunKey count(std::string_view name) {
  return {.name = name,
          .kind = KeyKind::kWhole,
          .read = read_count<Member, kLeast, kMost>,
          .write = [](const RunConfig& config) { return value_of(config.augment.*Member); }};
}

/// A key that is the probability of a flip.
template <auto Member>
constexpr RunKey chance(std::string_view name) {
  return {.name = name,
          .kind = KeyKind::kChance,
          .read = read_chance<Member>,
          .write = [](const RunConfig& config) { return value_of(config.augment.*Member); },
          .example = "0.5"};
}

/// Numbers, or "dataset" for what leaving the key out means. A network that sees gray takes one.
template <auto Member>
void read_statistic(TomlReader& reader, std::string_view key, RunConfig& config) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  const auto* word = found->as<std::string>();
  if (word != nullptr && *word == "dataset") {
    (config.*Member).clear();
  } else if (const auto number = as_number(*found)) {
    config.*Member = {*number};
  } else if (found->as<TomlList>() != nullptr) {
    if (const auto numbers = reader.numbers(key)) config.*Member = *numbers;
  } else {
    reader.refuse(key, "numbers, one for each channel, or \"dataset\"", *found);
  }
}

/// Numbers, one for each class, or "balanced"; "none" for what leaving the key out means.
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
  if (config.balances_classes) return value_of(std::string("balanced"));
  if (config.class_weights.empty()) return value_of(std::string("none"));
  return value_of(config.class_weights);
}

/// A key that is a mean or a deviation.
template <auto Member>
constexpr RunKey statistic(std::string_view name) {
  return {.name = name,
          .kind = KeyKind::kNumbers,
          .read = read_statistic<Member>,
          .write = [](const RunConfig& config) { return value_of(config.*Member); },
          .example = "\"dataset\""};
}

/// Two numbers: one would mean 1 - r to 1 + r, which no share of an area is.
template <auto Member>
void read_bounds(TomlReader& reader, std::string_view key, RunConfig& config) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  const auto numbers = found->as<TomlList>() ? reader.numbers(key) : std::nullopt;
  if (!numbers || numbers->size() != 2) reader.refuse(key, "a list of two numbers", *found);
  config.augment.*Member = {numbers->front(), numbers->back()};
}

/// A key that is the least and the most of something.
template <auto Member>
constexpr RunKey bounds(std::string_view name, std::string_view example) {
  return {.name = name,
          .kind = KeyKind::kNumbers,
          .read = read_bounds<Member>,
          .write = [](const RunConfig& config) { return value_of(config.augment.*Member); },
          .example = example};
}

/// A model named here replaces the layers of the settings below.
void read_model(TomlReader& reader, std::string_view key, RunConfig& config) {
  const auto name = reader.text(key);
  if (!name) return;
  config.model = *name;
  config.model_layers.clear();
}

/// One side, or "HxW".
std::optional<SidesPx> sides_px(const TomlValue& value) {
  if (const auto* text = value.as<std::string>()) return parse_sides_px(*text);
  const auto side = as_whole(value, UINT32_MAX);
  return side ? parse_sides_px(std::to_string(*side)) : std::nullopt;
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
  return value_of(std::to_string(config.image_height_px) + "x" +
                  std::to_string(config.image_width_px));
}

/// A size as text ("256M") or as a number of bytes.
void read_size(TomlReader& reader, std::string_view key, std::uint64_t& size_bytes) {
  const TomlValue* value = reader.find(key);
  if (value == nullptr) return;
  const auto* text = value->as<std::string>();
  const auto bytes =
      text != nullptr ? parse_size_bytes(*text) : as_whole(*value, std::uint64_t{INT64_MAX});
  if (!bytes || *bytes == 0) reader.refuse(key, "a size such as \"256M\"", *value);
  size_bytes = *bytes;
}

void read_window(TomlReader& reader, std::string_view key, RunConfig& config) {
  read_size(reader, key, config.window_bytes);
}

std::optional<TomlValue> write_window(const RunConfig& config) {
  if (config.order != SampleOrder::kWindowed) return std::nullopt;
  return value_of(format_size_bytes(config.window_bytes));
}

void read_memory(TomlReader& reader, std::string_view key, RunConfig& config) {
  read_size(reader, key, config.memory_bytes);
}

std::optional<TomlValue> write_memory(const RunConfig& config) {
  if (config.memory_bytes == 0) return std::nullopt;
  return value_of(format_size_bytes(config.memory_bytes));
}

/// Another optimizer brings its usual rate, decay and momentum; what all of them read stays.
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

/// The same of gamma.
void read_schedule(TomlReader& reader, std::string_view key, RunConfig& config) {
  const auto name = reader.text(key);
  if (!name) return;
  const ScheduleKind kind = parse_schedule(*name);
  if (kind == config.schedule.kind) return;
  config.schedule.gamma = ScheduleConfig::of(kind).gamma;
  config.schedule.kind = kind;
}

/// A flag's text.
std::optional<std::uint64_t> whole_of(const std::string& text) {
  std::uint32_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Samples, or "all".
void read_batch_size(TomlReader& reader, std::string_view key, RunConfig& config) {
  const TomlValue* value = reader.find(key);
  if (value == nullptr) return;
  const auto* text = value->as<std::string>();
  const auto samples = text == nullptr ? as_whole(*value, UINT32_MAX) : whole_of(*text);
  if (text != nullptr && *text == "all") {
    config.batch_size = kWholeEpoch;
  } else if (samples && *samples > 0) {
    config.batch_size = static_cast<std::uint32_t>(*samples);
  } else {
    reader.refuse(key, "1 to 65536 or \"all\"", *value);
  }
}

std::optional<TomlValue> write_batch_size(const RunConfig& config) {
  if (config.batch_size == kWholeEpoch) return value_of(std::string("all"));
  return value_of(config.batch_size);
}

void read_micro_batch(TomlReader& reader, std::string_view key, RunConfig& config) {
  if (const auto samples = reader.whole(key, UINT32_MAX)) {
    config.micro_batch = static_cast<std::uint32_t>(*samples);
  }
}

/// What is left to the planner is not written.
std::optional<TomlValue> write_micro_batch(const RunConfig& config) {
  if (config.micro_batch == 0) return std::nullopt;
  return value_of(config.micro_batch);
}

void read_recompute(TomlReader& reader, std::string_view key, RunConfig& config) {
  if (const auto name = reader.text(key)) config.recompute = parse_recompute(*name);
}

std::optional<TomlValue> write_recompute(const RunConfig& config) {
  if (config.recompute == RecomputeWish::kAuto) return std::nullopt;
  return value_of(std::string(recompute_wish_name(config.recompute)));
}

std::optional<TomlValue> write_auto_batch(const RunConfig& config) {
  if (config.auto_batch) return std::nullopt;
  return value_of(false);
}

void read_auto_batch(TomlReader& reader, std::string_view key, RunConfig& config) {
  read_field(reader, key, config.auto_batch);
}

void read_preset(TomlReader& reader, std::string_view key, RunConfig& config) {
  if (const auto name = reader.text(key)) config.augment = AugmentConfig::preset(*name);
}

/// A text such as "2h30m", or a number of minutes; 0 for none.
void read_max_time(TomlReader& reader, std::string_view key, RunConfig& config) {
  const TomlValue* value = reader.find(key);
  if (value == nullptr) return;
  const auto* text = value->as<std::string>();
  const auto number = as_number(*value);
  const std::string typed = text != nullptr ? *text : number ? number_text(*number) : "";
  const bool is_none = typed == "0";
  const auto minutes = is_none ? std::optional(0.0) : parse_time_limit(typed);
  if (!minutes) reader.refuse(key, "a time such as \"2h30m\", or minutes", *value);
  config.checkpoint.max_minutes = *minutes;
}

std::optional<TomlValue> write_max_time(const RunConfig& config) {
  if (config.checkpoint.max_minutes == 0) return std::nullopt;
  return value_of(format_time_limit(config.checkpoint.max_minutes));
}

/// A preset is written as what it stands for.
std::optional<TomlValue> write_nothing(const RunConfig&) {
  return std::nullopt;
}

constexpr std::array kKeys{
    field<&RunConfig::dataset>("dataset", "\"flowers.ds\""),
    field<&RunConfig::out>("out", "\"runs/first\""),
    RunKey{"model", KeyKind::kText, read_model,
           [](const RunConfig& config) { return value_of(config.model); }},
    field<&RunConfig::init_from>("init_from", "\"resnet18.safetensors\""),
    field<&RunConfig::freeze>("freeze", "[\"*\", \"!head\"]"),
    field<&RunConfig::freeze_norm>("freeze_norm"),
    RunKey{"image_size", KeyKind::kText, read_image_size, write_image_size, "96"},
    field<&RunConfig::color_mode>("color_mode"),
    field<&RunConfig::epochs>("epochs"),
    field<&RunConfig::steps_per_epoch>("steps_per_epoch"),
    RunKey{"batch_size", KeyKind::kText, read_batch_size, write_batch_size, "32"},
    RunKey{"micro_batch", KeyKind::kWhole, read_micro_batch, write_micro_batch, "8"},
    RunKey{"recompute", KeyKind::kText, read_recompute, write_recompute, "\"blocks\""},
    RunKey{"auto_batch", KeyKind::kTruth, read_auto_batch, write_auto_batch, "false"},
    field<&RunConfig::validate_every_steps>("validate_every_steps"),
    field<&RunConfig::validation_batch_size>("validation_batch_size"),
    // Before the fields that it sets.
    RunKey{"optimizer", KeyKind::kText, read_optimizer,
           [](const RunConfig& config) {
             return value_of(std::string(optimizer_name(config.optimizer.kind)));
           }},
    field<&RunConfig::optimizer, &OptimizerConfig::learning_rate>("learning_rate"),
    field<&RunConfig::optimizer, &OptimizerConfig::momentum>("momentum"),
    field<&RunConfig::optimizer, &OptimizerConfig::nesterov>("nesterov"),
    field<&RunConfig::optimizer, &OptimizerConfig::weight_decay>("weight_decay"),
    field<&RunConfig::optimizer, &OptimizerConfig::beta1>("beta1"),
    field<&RunConfig::optimizer, &OptimizerConfig::beta2>("beta2"),
    field<&RunConfig::optimizer, &OptimizerConfig::alpha>("alpha"),
    field<&RunConfig::optimizer, &OptimizerConfig::epsilon>("epsilon"),
    field<&RunConfig::optimizer, &OptimizerConfig::l1>("l1"),
    field<&RunConfig::optimizer, &OptimizerConfig::decays_norm_and_bias>("decays_norm_and_bias"),
    field<&RunConfig::optimizer, &OptimizerConfig::clip_norm>("clip_norm"),
    field<&RunConfig::optimizer, &OptimizerConfig::clip_value>("clip_value"),
    field<&RunConfig::optimizer, &OptimizerConfig::ema_decay>("ema_decay"),
    field<&RunConfig::optimizer, &OptimizerConfig::ema_warmup>("ema_warmup"),
    // The same.
    RunKey{"schedule", KeyKind::kText, read_schedule,
           [](const RunConfig& config) {
             return value_of(std::string(schedule_name(config.schedule.kind)));
           }},
    field<&RunConfig::schedule, &ScheduleConfig::warmup_fraction>("warmup_fraction"),
    field<&RunConfig::schedule, &ScheduleConfig::div_factor>("div_factor"),
    field<&RunConfig::schedule, &ScheduleConfig::final_div_factor>("final_div_factor"),
    field<&RunConfig::schedule, &ScheduleConfig::milestone_epochs>("milestone_epochs",
                                                                   "[30, 60, 80]"),
    field<&RunConfig::schedule, &ScheduleConfig::step_epochs>("step_epochs"),
    field<&RunConfig::schedule, &ScheduleConfig::gamma>("gamma"),
    field<&RunConfig::schedule, &ScheduleConfig::end_learning_rate>("end_learning_rate"),
    field<&RunConfig::schedule, &ScheduleConfig::power>("power"),
    field<&RunConfig::schedule, &ScheduleConfig::warmup_steps>("warmup_steps"),
    field<&RunConfig::schedule, &ScheduleConfig::warmup_epochs>("warmup_epochs"),
    field<&RunConfig::schedule, &ScheduleConfig::warmup_start_factor>("warmup_start_factor"),
    field<&RunConfig::loss>("loss"),
    field<&RunConfig::label_smoothing>("label_smoothing"),
    field<&RunConfig::focal_gamma>("focal_gamma"),
    field<&RunConfig::focal_alpha>("focal_alpha", "[0.25]"),
    RunKey{"class_weights", KeyKind::kNumbers, read_class_weights, write_class_weights},
    field<&RunConfig::nan_guard, &NanGuardConfig::max_in_a_row>("max_skipped_steps"),
    field<&RunConfig::order>("order", "\"shuffle\""),
    RunKey{"window", KeyKind::kText, read_window, write_window, "\"256M\""},
    field<&RunConfig::seed>("seed"),
    RunKey{"memory", KeyKind::kText, read_memory, write_memory, "\"256M\""},
    field<&RunConfig::threads>("threads"),
    field<&RunConfig::loader_threads>("loader_threads"),
    field<&RunConfig::cache>("cache"),
    field<&RunConfig::backend>("backend"),
    field<&RunConfig::precision>("precision"),
    field<&RunConfig::device>("device"),
    statistic<&RunConfig::mean>("mean"),
    statistic<&RunConfig::std>("std"),
    RunKey{"max_time", KeyKind::kText, read_max_time, write_max_time, "\"2h30m\""},
    field<&RunConfig::checkpoint, &CheckpointTimes::every_steps>("checkpoint.every_steps"),
    field<&RunConfig::checkpoint, &CheckpointTimes::every_minutes>("checkpoint.every_minutes"),
    field<&RunConfig::checkpoint, &CheckpointTimes::every_epoch>("checkpoint.every_epoch"),
    field<&RunConfig::num_checkpoints_kept>("checkpoint.keep"),
    // Before the fields that it sets.
    RunKey{"augment.preset", KeyKind::kText, read_preset, write_nothing, "\"standard\""},
    chance<&AugmentConfig::horizontal_flip>("augment.horizontal_flip"),
    chance<&AugmentConfig::vertical_flip>("augment.vertical_flip"),
    field<&RunConfig::augment, &AugmentConfig::width_shift_range>("augment.width_shift_range"),
    field<&RunConfig::augment, &AugmentConfig::height_shift_range>("augment.height_shift_range"),
    field<&RunConfig::augment, &AugmentConfig::zoom_range>("augment.zoom_range"),
    field<&RunConfig::augment, &AugmentConfig::rotation_range>("augment.rotation_range"),
    field<&RunConfig::augment, &AugmentConfig::shear_range>("augment.shear_range"),
    field<&RunConfig::augment, &AugmentConfig::random_resized_crop>("augment.random_resized_crop"),
    bounds<&AugmentConfig::random_resized_crop_scale>("augment.random_resized_crop_scale",
                                                      "[0.08, 1]"),
    bounds<&AugmentConfig::random_resized_crop_ratio>("augment.random_resized_crop_ratio",
                                                      "[0.75, 1.3333333333333333]"),
    field<&RunConfig::augment, &AugmentConfig::center_crop>("augment.center_crop"),
    count<&AugmentConfig::random_crop_padding, 0, AugmentConfig::kMaxShiftPx>(
        "augment.random_crop_padding"),
    field<&RunConfig::augment, &AugmentConfig::channel_shift_range>("augment.channel_shift_range"),
    field<&RunConfig::augment, &AugmentConfig::brightness_range>("augment.brightness_range"),
    field<&RunConfig::augment, &AugmentConfig::contrast_range>("augment.contrast_range"),
    field<&RunConfig::augment, &AugmentConfig::saturation_range>("augment.saturation_range"),
    field<&RunConfig::augment, &AugmentConfig::hue_range>("augment.hue_range"),
    chance<&AugmentConfig::random_erasing>("augment.random_erasing"),
    bounds<&AugmentConfig::random_erasing_scale>("augment.random_erasing_scale", "[0.02, 0.33]"),
    bounds<&AugmentConfig::random_erasing_ratio>("augment.random_erasing_ratio", "[0.3, 3.3]"),
    field<&RunConfig::augment, &AugmentConfig::random_erasing_value>(
        "augment.random_erasing_value"),
    field<&RunConfig::augment, &AugmentConfig::auto_augment>("augment.auto_augment"),
    count<&AugmentConfig::rand_augment_ops, 1, AugmentConfig::kMaxRandAugmentOps>(
        "augment.rand_augment_ops"),
    count<&AugmentConfig::rand_augment_magnitude, 0, AugmentConfig::kMaxRandAugmentMagnitude>(
        "augment.rand_augment_magnitude"),
    field<&RunConfig::augment, &AugmentConfig::mixup>("augment.mixup"),
    field<&RunConfig::augment, &AugmentConfig::cutmix>("augment.cutmix"),
    field<&RunConfig::augment, &AugmentConfig::fill_mode>("augment.fill_mode"),
    field<&RunConfig::augment, &AugmentConfig::cval>("augment.cval"),
    field<&RunConfig::augment, &AugmentConfig::rescale>("augment.rescale"),
    field<&RunConfig::augment, &AugmentConfig::interpolation>("augment.interpolation"),
    field<&RunConfig::augment, &AugmentConfig::decode_scaling>("augment.decode_scaling"),
    field<&RunConfig::early_stopping, &EarlyStoppingConfig::monitor>("early_stopping.monitor"),
    field<&RunConfig::early_stopping, &EarlyStoppingConfig::patience>("early_stopping.patience",
                                                                      "10"),
    field<&RunConfig::early_stopping, &EarlyStoppingConfig::min_delta>("early_stopping.min_delta"),
    field<&RunConfig::restore_best_weights>("early_stopping.restore_best_weights"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::monitor>("reduce_on_plateau.monitor"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::factor>("reduce_on_plateau.factor", "0.1"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::patience>("reduce_on_plateau.patience"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::min_delta>("reduce_on_plateau.min_delta"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::delta_mode>(
        "reduce_on_plateau.delta_mode"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::cooldown>("reduce_on_plateau.cooldown"),
    field<&RunConfig::reduce_on_plateau, &PlateauConfig::min_learning_rate>(
        "reduce_on_plateau.min_learning_rate"),
};

}  // namespace

std::span<const RunKey> run_keys() {
  return kKeys;
}

std::span<const std::string_view> run_tables() {
  static const std::vector<std::string_view> tables = [] {
    std::vector<std::string_view> names;
    for (const RunKey& key : kKeys) {
      if (std::ranges::find(names, key.table()) == names.end()) names.push_back(key.table());
    }
    return names;
  }();
  return tables;
}

const RunKey* find_run_key(std::string_view name) {
  const auto found = std::ranges::find(kKeys, name, &RunKey::name);
  return found == kKeys.end() ? nullptr : &*found;
}

}  // namespace penstock::train
