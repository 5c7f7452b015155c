// The settings of a run file by their types: how each is read from TOML, and how it is written.
// Knows no key.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/graph/toml_reader.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

// Reading. A key that is not there changes nothing.
// Errors  InvalidArgument for anything that is not of the type

void read_setting(TomlReader& reader, std::string_view key, std::string& value);
void read_setting(TomlReader& reader, std::string_view key, std::filesystem::path& value);
void read_setting(TomlReader& reader, std::string_view key, bool& value);
void read_setting(TomlReader& reader, std::string_view key, double& value);
void read_setting(TomlReader& reader, std::string_view key, std::vector<std::uint32_t>& value);
/// One number may stand without brackets.
void read_setting(TomlReader& reader, std::string_view key, std::vector<double>& value);
/// Texts, or one.
void read_setting(TomlReader& reader, std::string_view key, std::vector<std::string>& value);
/// Two factors, or one number r for 1 - r to 1 + r.
void read_setting(TomlReader& reader, std::string_view key, augment::DrawRange& value);
void read_setting(TomlReader& reader, std::string_view key, ColorMode& value);
void read_setting(TomlReader& reader, std::string_view key, ComputeType& value);
void read_setting(TomlReader& reader, std::string_view key, DeltaMode& value);
void read_setting(TomlReader& reader, std::string_view key, LossKind& value);
void read_setting(TomlReader& reader, std::string_view key, SampleOrder& value);
void read_setting(TomlReader& reader, std::string_view key, CacheForm& value);
void read_setting(TomlReader& reader, std::string_view key, augment::FillMode& value);
void read_setting(TomlReader& reader, std::string_view key, augment::DecodeScaling& value);
void read_setting(TomlReader& reader, std::string_view key, augment::AutoAugment& value);
void read_setting(TomlReader& reader, std::string_view key, augment::Interpolation& value);
template <std::unsigned_integral T>
void read_setting(TomlReader& reader, std::string_view key, T& value) {
  constexpr std::uint64_t kMost = std::min<std::uint64_t>(std::numeric_limits<T>::max(), INT64_MAX);
  if (const auto found = reader.whole(key, kMost)) value = static_cast<T>(*found);
}

/// Reads a probability, or true for 0.5 as Keras means it.
void read_chance(TomlReader& reader, std::string_view key, double& value);

struct CountBounds {
  std::uint32_t least = 0;
  std::uint32_t most = UINT32_MAX;
};

/// Reads a whole number of a setting with bounds of its own.
void read_count(TomlReader& reader, std::string_view key, CountBounds bounds, std::uint32_t& value);

/// Reads two numbers: one would mean 1 - r to 1 + r, which no share of an area is.
void read_bounds(TomlReader& reader, std::string_view key, augment::DrawRange& value);

/// Reads numbers, or "dataset" for what leaving the key out means. A network that sees gray takes one.
void read_statistic(TomlReader& reader, std::string_view key, std::vector<double>& value);

/// Reads a size as text ("256M") or as a number of bytes.
void read_size(TomlReader& reader, std::string_view key, std::uint64_t& size_bytes);

// Writing. Nothing for what is left open.

std::optional<TomlValue> setting_value(const std::string& text);
std::optional<TomlValue> setting_value(const std::filesystem::path& path);
std::optional<TomlValue> setting_value(bool truth);
std::optional<TomlValue> setting_value(double number);
std::optional<TomlValue> setting_value(const std::vector<std::uint32_t>& numbers);
std::optional<TomlValue> setting_value(const std::vector<double>& numbers);
std::optional<TomlValue> setting_value(const std::vector<std::string>& texts);
std::optional<TomlValue> setting_value(const augment::DrawRange& range);
std::optional<TomlValue> setting_value(ColorMode mode);
std::optional<TomlValue> setting_value(ComputeType type);
std::optional<TomlValue> setting_value(DeltaMode mode);
std::optional<TomlValue> setting_value(LossKind loss);
std::optional<TomlValue> setting_value(SampleOrder order);
std::optional<TomlValue> setting_value(CacheForm form);
std::optional<TomlValue> setting_value(augment::FillMode mode);
std::optional<TomlValue> setting_value(augment::DecodeScaling scaling);
std::optional<TomlValue> setting_value(augment::AutoAugment policy);
std::optional<TomlValue> setting_value(augment::Interpolation interpolation);
template <std::unsigned_integral T>
std::optional<TomlValue> setting_value(T number) {
  return TomlValue{static_cast<std::int64_t>(number)};
}

}  // namespace penstock::train
