#include "train/optim/param_groups.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "streamer/core/nearest_name.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"
#include "train/optim/name_glob.h"

namespace penstock::train {
namespace {

std::string owner_of(std::size_t group_idx) {
  return "param_groups[" + std::to_string(group_idx) + "]";
}

// Names, and what patterns are usually made of: each name's leading parts with a star.
std::vector<std::string> pattern_candidates(std::span<const std::string_view> names) {
  std::vector<std::string> candidates;
  for (const std::string_view name : names) {
    candidates.emplace_back(name);
    for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1)) {
      candidates.push_back(std::string(name.substr(0, dot)) + ".*");
    }
  }
  return candidates;
}

[[noreturn]] void refuse_idle_group(std::span<const ParamGroup> groups, std::size_t group_idx,
                                    std::span<const std::string_view> names) {
  const std::string& pattern = groups[group_idx].pattern;
  const auto matched = std::ranges::find_if(
      names, [&](std::string_view name) { return matches_glob(pattern, name); });
  if (matched == names.end()) {
    refuse_setting({owner_of(group_idx), "pattern", "one that matches a parameter's name",
                    "\"" + pattern + "\"", nearest_pattern_hint(pattern, names)});
  }
  const auto taker = std::ranges::find_if(
      groups, [&](const ParamGroup& group) { return matches_glob(group.pattern, *matched); });
  const std::size_t taker_idx = static_cast<std::size_t>(taker - groups.begin());
  refuse_setting({owner_of(group_idx), "pattern", "one that matches a name no earlier group takes",
                  "\"" + pattern + "\"",
                  "the first group that matches wins: put this one before " + owner_of(taker_idx)});
}

}  // namespace

// The comparisons are written so that NaN fails them.
void ParamGroup::validate() const {
  const std::string owner = "param_groups: \"" + pattern + "\"";
  if (pattern.empty()) {
    refuse_setting({"param_groups", "pattern", "a name or a pattern", "\"\"", "pattern = \"*\""});
  }
  if (!(learning_rate_scale > 0 && std::isfinite(learning_rate_scale))) {
    refuse_setting({owner, "learning_rate_scale", "a finite number above 0",
                    number_text(learning_rate_scale), "learning_rate_scale = 0.1"});
  }
  if (weight_decay && !(*weight_decay >= 0 && std::isfinite(*weight_decay))) {
    refuse_setting({owner, "weight_decay", "a finite number, 0 or more", number_text(*weight_decay),
                    "weight_decay = 0"});
  }
  if (!is_trainable && first_trainable_epoch > 0) {
    refuse_setting({owner, "first_trainable_epoch", "0 with is_trainable = false",
                    std::to_string(first_trainable_epoch), "is_trainable = true"});
  }
}

std::vector<std::optional<std::size_t>> assign_param_groups(
    std::span<const ParamGroup> groups, std::span<const std::string_view> names) {
  for (const ParamGroup& group : groups) group.validate();
  std::vector<std::optional<std::size_t>> group_of(names.size());
  std::vector<bool> has_names(groups.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = std::ranges::find_if(
        groups, [&](const ParamGroup& group) { return matches_glob(group.pattern, names[i]); });
    if (found == groups.end()) continue;
    group_of[i] = static_cast<std::size_t>(found - groups.begin());
    has_names[*group_of[i]] = true;
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (!has_names[i]) refuse_idle_group(groups, i, names);
  }
  return group_of;
}

std::string nearest_pattern_hint(std::string_view pattern,
                                 std::span<const std::string_view> names) {
  const std::vector<std::string> candidates = pattern_candidates(names);
  if (candidates.empty()) return {};
  const auto nearest = std::ranges::min_element(candidates, {}, [&](const std::string& candidate) {
    return edit_distance(pattern, candidate);
  });
  return "the nearest is \"" + *nearest + "\"";
}

ParamRates param_rates(const OptimizerConfig& config, const ParamGroup& group,
                       ParamRole role) noexcept {
  const bool is_penalised = role == ParamRole::kWeight || config.decays_norm_and_bias;
  return {.learning_rate_scale = group.learning_rate_scale,
          .weight_decay = is_penalised ? group.weight_decay.value_or(config.weight_decay) : 0,
          .l1 = is_penalised ? config.l1 : 0,
          .is_adapted = is_penalised};
}

bool is_trainable_in_epoch(const ParamGroup& group, std::uint32_t epoch_idx) noexcept {
  return group.is_trainable && epoch_idx >= group.first_trainable_epoch;
}

std::vector<std::uint32_t> unfreezing_epochs(std::span<const ParamGroup> groups) {
  std::set<std::uint32_t> epochs;
  for (const ParamGroup& group : groups) {
    if (group.first_trainable_epoch > 0) epochs.insert(group.first_trainable_epoch);
  }
  return {epochs.begin(), epochs.end()};
}

}  // namespace penstock::train
