#include "train/run/network/learning_plan.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>

#include "streamer/core/error.h"
#include "streamer/core/range_check.h"
#include "train/loop/initial_weights.h"
#include "train/optim/name_glob.h"
#include "train/optim/param_groups.h"
#include "train/run/settings/param_group_tables.h"

namespace penstock::train {
namespace {

constexpr std::string_view kHead = "head";

/// The parameters that could learn.
struct Candidates {
  explicit Candidates(const ModelGraph& graph) {
    for (std::uint32_t i = 0; i < graph.parameters().size(); ++i) {
      if (!graph.parameters()[i].is_trainable) continue;
      param_idx.push_back(i);
      names.push_back(graph.parameters()[i].name);
    }
  }
  std::vector<std::uint32_t> param_idx;
  std::vector<std::string_view> names;
};

/// A pattern on names; no name is "head" alone, a layer's ends in what it is.
std::string resolved(std::string_view pattern, const ModelGraph& graph) {
  if (pattern != kHead) return std::string(pattern);
  return graph.node(classifier_head(graph)).name + ".*";
}

[[noreturn]] void refuse_pattern(std::string_view field, std::string_view expected,
                                 std::string_view pattern, const std::string& hint) {
  refuse_setting({"run", field, expected, "\"" + std::string(pattern) + "\"", hint});
}

/// By candidate: whether RunConfig::freeze takes it.
std::vector<bool> frozen_candidates(const std::vector<std::string>& patterns,
                                    const Candidates& candidates, const ModelGraph& graph) {
  std::vector<bool> is_frozen(candidates.names.size());
  for (const std::string& given : patterns) {
    const bool takes_back = given.starts_with('!');
    const std::string pattern = resolved(std::string_view(given).substr(takes_back), graph);
    bool has_matched = false;
    bool has_changed = false;
    for (std::size_t i = 0; i < is_frozen.size(); ++i) {
      if (!matches_glob(pattern, candidates.names[i])) continue;
      has_matched = true;
      has_changed = has_changed || is_frozen[i] == takes_back;
      is_frozen[i] = !takes_back;
    }
    if (!has_matched) {
      refuse_pattern("freeze", "patterns that match parameters' names", given,
                     nearest_pattern_hint(pattern, candidates.names));
    }
    if (!has_changed) {
      refuse_pattern(
          "freeze", takes_back ? "a pattern that takes names back" : "a pattern of its own", given,
          takes_back
              ? "what is taken back is frozen by a pattern before: [\"*\", \"" + given + "\"]"
              : "the patterns before freeze all of that");
    }
  }
  return is_frozen;
}

/// The groups with "head" spelled out, each of which has names that are not frozen.
std::vector<ParamGroup> resolved_groups(const RunConfig& config, const ModelGraph& graph,
                                        const Candidates& candidates,
                                        const std::vector<bool>& is_frozen) {
  std::vector<ParamGroup> groups = config.param_groups;
  for (ParamGroup& group : groups) {
    const std::string given = group.pattern;
    group.pattern = resolved(given, graph);
    bool has_frozen = false;
    bool has_free = false;
    for (std::size_t i = 0; i < is_frozen.size(); ++i) {
      if (matches_glob(group.pattern, candidates.names[i]))
        (is_frozen[i] ? has_frozen : has_free) = true;
    }
    if (has_frozen && !has_free) {
      refuse_pattern("param_group: pattern", "one that matches a parameter that learns", given,
                     "freeze takes all of these");
    }
    if (group.first_trainable_epoch >= config.epochs) {
      refuse_setting({"run", "param_group: \"" + given + "\": first_trainable_epoch",
                      "below the " + std::to_string(config.epochs) + " epochs of the run",
                      std::to_string(group.first_trainable_epoch), "freeze = [\"" + given + "\"]"});
    }
  }
  return groups;
}

/// Refusals name the tables of the run file that the groups are.
auto groups_of(const std::vector<ParamGroup>& groups, const std::vector<std::string_view>& names) {
  try {
    return assign_param_groups(groups, names);
  } catch (const Error& error) {
    std::string message = error.what();
    constexpr std::string_view kField = "param_groups[";
    for (std::size_t at = 0; (at = message.find(kField, at)) != message.npos;) {
      message.replace(at, kField.size(), std::string(kParamGroup) + "[");
    }
    throw Error(error.code(), "run: " + message, error.hint());
  }
}

/// By parameter: its group; null for none.
std::vector<const ParamGroup*> group_by_param(const std::vector<ParamGroup>& groups,
                                              const Candidates& candidates,
                                              const std::vector<bool>& is_frozen,
                                              std::size_t num_params) {
  std::vector<std::string_view> names;
  std::vector<std::uint32_t> param_idx;
  for (std::size_t i = 0; i < candidates.names.size(); ++i) {
    if (is_frozen[i]) continue;
    names.push_back(candidates.names[i]);
    param_idx.push_back(candidates.param_idx[i]);
  }
  const auto group_of = groups_of(groups, names);
  std::vector<const ParamGroup*> by_param(num_params, nullptr);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (group_of[i]) by_param[param_idx[i]] = &groups[*group_of[i]];
  }
  return by_param;
}

/// By node: batch norms whose scale and shift are both frozen.
std::vector<bool> fixed_norms(const ModelGraph& graph, const std::vector<bool>& frozen_params) {
  std::vector<bool> fixed;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const auto stays = [&](std::uint32_t i) {
      return !graph.parameters()[i].is_trainable || frozen_params[i];
    };
    fixed.push_back(std::holds_alternative<BatchNormOp>(graph.node(id).op) &&
                    std::ranges::all_of(graph.parameters_of(id), stays));
  }
  return fixed;
}

std::uint64_t num_learning_values(const ModelGraph& graph, const std::vector<bool>& frozen_params) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < graph.parameters().size(); ++i) {
    const Parameter& parameter = graph.parameters()[i];
    if (parameter.is_trainable && !frozen_params[i]) count += parameter.num_elements();
  }
  return count;
}

}  // namespace

LearningPlan plan_learning(const RunConfig& config, const ModelGraph& graph) {
  const std::size_t num_params = graph.parameters().size();
  LearningPlan plan;
  if (config.freeze.empty() && config.param_groups.empty()) {
    plan.num_learning = {num_learning_values(graph, std::vector<bool>(num_params))};
    return plan;
  }
  const Candidates candidates(graph);
  const std::vector<bool> is_frozen = frozen_candidates(config.freeze, candidates, graph);
  const std::vector<ParamGroup> groups = resolved_groups(config, graph, candidates, is_frozen);
  const auto group_of = group_by_param(groups, candidates, is_frozen, num_params);

  for (std::size_t i = 0; !groups.empty() && i < num_params; ++i) {
    plan.param_rates.push_back(
        param_rates(config.optimizer, group_of[i] != nullptr ? *group_of[i] : ParamGroup{},
                    graph.parameters()[i].decays ? ParamRole::kWeight : ParamRole::kNormOrBias));
  }

  std::vector<bool> always_frozen(num_params);
  for (std::size_t i = 0; i < is_frozen.size(); ++i) {
    always_frozen[candidates.param_idx[i]] = is_frozen[i];
  }
  std::vector<std::uint32_t> epochs = unfreezing_epochs(groups);
  epochs.insert(epochs.begin(), 0);
  for (const std::uint32_t epoch : epochs) {
    LearningStage stage{.first_epoch = epoch, .frozen_params = always_frozen};
    for (std::size_t i = 0; i < num_params; ++i) {
      if (group_of[i] != nullptr && !is_trainable_in_epoch(*group_of[i], epoch)) {
        stage.frozen_params[i] = true;
      }
    }
    if (config.freeze_norm) stage.fixed_norms = fixed_norms(graph, stage.frozen_params);
    plan.num_learning.push_back(num_learning_values(graph, stage.frozen_params));
    plan.stages.push_back(std::move(stage));
  }
  if (plan.num_learning.front() == 0) {
    refuse_setting({"run", "freeze", "something that learns in the first epoch", "nothing",
                    "freeze = [\"*\", \"!head\"]"});
  }
  return plan;
}

}  // namespace penstock::train
