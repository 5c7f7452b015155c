#include "train/run/settings/param_group_tables.h"

#include <cstdint>

namespace penstock::train {
namespace {

constexpr const char* kPattern = "pattern";
constexpr const char* kRateScale = "learning_rate_scale";
constexpr const char* kWeightDecay = "weight_decay";
constexpr const char* kFirstEpoch = "first_trainable_epoch";

/// A line that is right, for "param_group[1].weight_decay".
std::string example_line(const std::string& key) {
  const std::string name = key.substr(key.find_last_of('.') + 1);
  if (name == kPattern) return "pattern = \"layer4.*\"";
  if (name == kRateScale) return "learning_rate_scale = 0.1";
  if (name == kWeightDecay) return "weight_decay = 0";
  if (name == kFirstEpoch) return "first_trainable_epoch = 3";
  return {};
}

ParamGroup read_group(const TomlTable& table, std::size_t group_idx) {
  TomlReader reader(table,
                    {.where = "run",
                     .prefix = std::string(kParamGroup) + "[" + std::to_string(group_idx) + "].",
                     .example = example_line});
  ParamGroup group;
  const auto pattern = reader.text(kPattern);
  if (const auto scale = reader.number(kRateScale)) group.learning_rate_scale = *scale;
  group.weight_decay = reader.number(kWeightDecay);
  if (const auto epoch = reader.whole(kFirstEpoch, UINT32_MAX)) {
    group.first_trainable_epoch = static_cast<std::uint32_t>(*epoch);
  }
  reader.finish();  // first: a misspelt pattern is named
  if (!pattern) reader.refuse(kPattern, "names that the group takes", "none");
  group.pattern = *pattern;
  return group;
}

TomlTable table_of(const ParamGroup& group) {
  TomlTable table{{kPattern, {group.pattern}}, {kRateScale, {group.learning_rate_scale}}};
  if (group.weight_decay) table.push_back({kWeightDecay, {*group.weight_decay}});
  table.push_back({kFirstEpoch, {static_cast<std::int64_t>(group.first_trainable_epoch)}});
  return table;
}

}  // namespace

void read_param_groups(TomlReader& reader, std::vector<ParamGroup>& groups) {
  const TomlList* tables = reader.tables(kParamGroup);
  if (tables == nullptr) return;
  groups.clear();
  for (const TomlValue& table : *tables) {
    groups.push_back(read_group(*table.as<TomlTable>(), groups.size()));
  }
}

std::string format_param_groups(std::span<const ParamGroup> groups) {
  std::string text;
  for (const ParamGroup& group : groups) {
    text += (text.empty() ? "[[" : "\n[[") + std::string(kParamGroup) + "]]\n" +
            format_toml_lines(table_of(group));
  }
  return text;
}

}  // namespace penstock::train
