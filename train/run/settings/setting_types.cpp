#include "train/run/settings/setting_types.h"

#include <array>
#include <cmath>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"
#include "streamer/core/number_text.h"

namespace penstock::train {

using augment::AutoAugment;
using augment::DecodeScaling;
using augment::DrawRange;
using augment::FillMode;
using augment::Interpolation;

void read_setting(TomlReader& reader, std::string_view key, std::string& value) {
  if (const auto found = reader.text(key)) value = *found;
}

void read_setting(TomlReader& reader, std::string_view key, std::filesystem::path& value) {
  if (const auto found = reader.text(key)) value = *found;
}

void read_setting(TomlReader& reader, std::string_view key, bool& value) {
  if (const auto found = reader.truth(key)) value = *found;
}

void read_setting(TomlReader& reader, std::string_view key, double& value) {
  if (const auto found = reader.number(key)) value = *found;
}

void read_setting(TomlReader& reader, std::string_view key, ColorMode& value) {
  if (const auto name = reader.text(key)) value = parse_color_mode(*name);
}

void read_setting(TomlReader& reader, std::string_view key, ComputeType& value) {
  const auto name = reader.text(key);
  if (!name) return;
  const auto type = compute_type_of(*name);
  if (!type) {
    constexpr std::array<std::string_view, 4> kNames = {"float32", "bfloat16", "tf32", "float16"};
    throw Error(
        ErrorCode::kInvalidArgument,
        "run: precision: expected \"float32\", \"bfloat16\", \"tf32\" or \"float16\", found " +
            describe_toml(*reader.find(key)),
        nearest_name_hint(*name, kNames));
  }
  value = *type;
}

void read_setting(TomlReader& reader, std::string_view key, std::vector<std::uint32_t>& value) {
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

void read_setting(TomlReader& reader, std::string_view key, std::vector<double>& value) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  if (const auto number = as_number(*found)) {
    value = {*number};
  } else if (const auto numbers = reader.numbers(key)) {
    value = *numbers;
  }
}

void read_setting(TomlReader& reader, std::string_view key, DeltaMode& value) {
  const auto name = reader.text(key);
  if (!name) return;
  if (*name != "relative" && *name != "absolute") {
    reader.refuse(key, "\"relative\" or \"absolute\"", *reader.find(key));
  }
  value = *name == "relative" ? DeltaMode::kRelative : DeltaMode::kAbsolute;
}

void read_setting(TomlReader& reader, std::string_view key, LossKind& value) {
  if (const auto name = reader.text(key)) value = parse_loss(*name);
}

void read_setting(TomlReader& reader, std::string_view key, std::vector<std::string>& value) {
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

void read_setting(TomlReader& reader, std::string_view key, SampleOrder& value) {
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

void read_setting(TomlReader& reader, std::string_view key, FillMode& value) {
  if (const auto name = reader.text(key)) value = augment::parse_fill_mode(*name);
}

void read_setting(TomlReader& reader, std::string_view key, DecodeScaling& value) {
  if (const auto name = reader.text(key)) value = augment::parse_decode_scaling(*name);
}

void read_setting(TomlReader& reader, std::string_view key, AutoAugment& value) {
  if (const auto name = reader.text(key)) value = augment::parse_auto_augment(*name);
}

void read_setting(TomlReader& reader, std::string_view key, Interpolation& value) {
  if (const auto name = reader.text(key)) value = augment::parse_interpolation(*name);
}

void read_setting(TomlReader& reader, std::string_view key, CacheForm& value) {
  if (const auto name = reader.text(key)) value = parse_cache_form(*name);
}

void read_setting(TomlReader& reader, std::string_view key, DrawRange& value) {
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

void read_chance(TomlReader& reader, std::string_view key, double& value) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  if (const auto* is_on = found->as<bool>()) {
    value = *is_on ? 0.5 : 0.0;
  } else if (const auto number = as_number(*found)) {
    value = *number;
  } else {
    reader.refuse(key, "true, false or a number", *found);
  }
}

void read_count(TomlReader& reader, std::string_view key, CountBounds bounds,
                std::uint32_t& value) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  const auto count = as_whole(*found, bounds.most);
  if (!count || *count < bounds.least) {
    reader.refuse(key,
                  "a whole number from " + std::to_string(bounds.least) + " to " +
                      std::to_string(bounds.most),
                  *found);
  }
  value = static_cast<std::uint32_t>(*count);
}

void read_bounds(TomlReader& reader, std::string_view key, DrawRange& value) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  const auto numbers = found->as<TomlList>() ? reader.numbers(key) : std::nullopt;
  if (!numbers || numbers->size() != 2) reader.refuse(key, "a list of two numbers", *found);
  value = {numbers->front(), numbers->back()};
}

void read_statistic(TomlReader& reader, std::string_view key, std::vector<double>& value) {
  const TomlValue* found = reader.find(key);
  if (found == nullptr) return;
  const auto* word = found->as<std::string>();
  if (word != nullptr && *word == "dataset") {
    value.clear();
  } else if (const auto number = as_number(*found)) {
    value = {*number};
  } else if (found->as<TomlList>() != nullptr) {
    if (const auto numbers = reader.numbers(key)) value = *numbers;
  } else {
    reader.refuse(key, "numbers, one for each channel, or \"dataset\"", *found);
  }
}

void read_size(TomlReader& reader, std::string_view key, std::uint64_t& size_bytes) {
  const TomlValue* value = reader.find(key);
  if (value == nullptr) return;
  const auto* text = value->as<std::string>();
  const auto bytes =
      text != nullptr ? parse_size_bytes(*text) : as_whole(*value, std::uint64_t{INT64_MAX});
  if (!bytes || *bytes == 0) reader.refuse(key, "a size such as \"256M\"", *value);
  size_bytes = *bytes;
}

std::optional<TomlValue> setting_value(const std::string& text) {
  return TomlValue{text};
}

std::optional<TomlValue> setting_value(const std::filesystem::path& path) {
  return path.empty() ? std::nullopt : setting_value(path.native());
}

std::optional<TomlValue> setting_value(bool truth) {
  return TomlValue{truth};
}

std::optional<TomlValue> setting_value(double number) {
  return TomlValue{number};
}

std::optional<TomlValue> setting_value(const std::vector<double>& numbers) {
  if (numbers.empty()) return std::nullopt;
  return TomlValue{list_of_numbers(numbers)};
}

std::optional<TomlValue> setting_value(const std::vector<std::uint32_t>& numbers) {
  return setting_value(std::vector<double>(numbers.begin(), numbers.end()));
}

std::optional<TomlValue> setting_value(const std::vector<std::string>& texts) {
  if (texts.empty()) return std::nullopt;
  TomlList list;
  for (const std::string& text : texts) list.push_back({text});
  return TomlValue{std::move(list)};
}

std::optional<TomlValue> setting_value(SampleOrder order) {
  return setting_value(std::string(sample_order_name(order)));
}

std::optional<TomlValue> setting_value(DeltaMode mode) {
  return setting_value(std::string(mode == DeltaMode::kRelative ? "relative" : "absolute"));
}

std::optional<TomlValue> setting_value(LossKind loss) {
  return setting_value(std::string(loss_name(loss)));
}

std::optional<TomlValue> setting_value(FillMode mode) {
  return setting_value(std::string(fill_mode_name(mode)));
}

std::optional<TomlValue> setting_value(DecodeScaling scaling) {
  return setting_value(std::string(decode_scaling_name(scaling)));
}

std::optional<TomlValue> setting_value(ColorMode mode) {
  return setting_value(std::string(color_mode_name(mode)));
}

std::optional<TomlValue> setting_value(ComputeType type) {
  return setting_value(std::string(compute_type_name(type)));
}

std::optional<TomlValue> setting_value(AutoAugment policy) {
  return setting_value(std::string(auto_augment_name(policy)));
}

std::optional<TomlValue> setting_value(Interpolation interpolation) {
  return setting_value(std::string(interpolation_name(interpolation)));
}

std::optional<TomlValue> setting_value(CacheForm form) {
  return setting_value(std::string(cache_form_name(form)));
}

std::optional<TomlValue> setting_value(const DrawRange& range) {
  return setting_value(std::vector{range.lo, range.hi});
}

}  // namespace penstock::train
