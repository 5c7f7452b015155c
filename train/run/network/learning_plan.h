// What learns in a run, how fast and from which epoch on: the patterns of its settings on the names of a
// graph.
#pragma once

#include <cstdint>
#include <vector>

#include "train/graph/model_graph.h"
#include "train/loop/program_set.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

struct LearningPlan {
  /// By parameter; empty when no group says otherwise than the optimizer.
  std::vector<ParamRates> param_rates;
  /// Empty when everything learns throughout.
  std::vector<LearningStage> stages;
  /// Values that learn in each stage, at least 1; one number when there are no stages.
  std::vector<std::uint64_t> num_learning;
};

/// Applies RunConfig::freeze, freeze_norm and param_groups.
///
/// "head" stands for the classifier head (loop/initial_weights.h). Of the patterns of `freeze` the last that
/// matches a name decides, and one that begins with "!" takes names back. What is frozen is in no group; of the
/// others the first group that matches decides.
/// Errors  InvalidArgument: a pattern or a group that takes no name, with the nearest or with what took its
///         names; a group that would begin to learn after the last epoch; an epoch in which nothing learns
LearningPlan plan_learning(const RunConfig& config, const ModelGraph& graph);

}  // namespace penstock::train
