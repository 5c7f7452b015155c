// Keys of a run file that are one member of the settings: its type says how it is read and written.
// Makes them; the list is run_keys.cpp.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "train/run/settings/run_keys.h"
#include "train/run/settings/setting_types.h"

namespace penstock::train {

/// What a flag's text for a setting of type `T` is read as.
template <class T>
constexpr KeyKind kind_of() {
  if (std::is_same_v<T, bool>) return KeyKind::kTruth;
  if (std::is_same_v<T, double>) return KeyKind::kNumber;
  if (std::is_same_v<T, augment::DrawRange> || std::is_same_v<T, std::vector<double>> ||
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
  return {
      .name = name,
      .kind = kind_of<Type>(),
      .read = [](TomlReader& reader, std::string_view key,
                 RunConfig& config) { read_setting(reader, key, member_of<Members...>(config)); },
      .write = [](const RunConfig& config) { return setting_value(member_of<Members...>(config)); },
      .example = example};
}

/// A whole number of the augmentation that has bounds.
template <auto Member, std::uint32_t kLeast, std::uint32_t kMost>
constexpr RunKey count(std::string_view name) {
  return {.name = name,
          .kind = KeyKind::kWhole,
          .read =
              [](TomlReader& reader, std::string_view key, RunConfig& config) {
                read_count(reader, key, {.least = kLeast, .most = kMost}, config.augment.*Member);
              },
          .write = [](const RunConfig& config) { return setting_value(config.augment.*Member); }};
}

/// A key that is the probability of a flip.
template <auto Member>
constexpr RunKey chance(std::string_view name) {
  return {.name = name,
          .kind = KeyKind::kChance,
          .read = [](TomlReader& reader, std::string_view key,
                     RunConfig& config) { read_chance(reader, key, config.augment.*Member); },
          .write = [](const RunConfig& config) { return setting_value(config.augment.*Member); },
          .example = "0.5"};
}

/// A key that is the least and the most of something.
template <auto Member>
constexpr RunKey bounds(std::string_view name, std::string_view example) {
  return {.name = name,
          .kind = KeyKind::kNumbers,
          .read = [](TomlReader& reader, std::string_view key,
                     RunConfig& config) { read_bounds(reader, key, config.augment.*Member); },
          .write = [](const RunConfig& config) { return setting_value(config.augment.*Member); },
          .example = example};
}

/// A key that is a mean or a deviation.
template <auto Member>
constexpr RunKey statistic(std::string_view name) {
  return {.name = name,
          .kind = KeyKind::kNumbers,
          .read =
              [](TomlReader& reader, std::string_view key, RunConfig& config) {
                read_statistic(reader, key, config.*Member);
                const bool is_given = reader.find(key) != nullptr;
                if (is_given && (config.*Member).empty()) config.has_dataset_statistics = true;
              },
          .write =
              [](const RunConfig& config) {
                return (config.*Member).empty() && config.has_dataset_statistics
                           ? setting_value(std::string("dataset"))
                           : setting_value(config.*Member);
              },
          .example = "\"dataset\""};
}

}  // namespace penstock::train
