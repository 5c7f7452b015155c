// What a run minimises: the loss of its settings, with the weights that the dataset's classes come to.
#pragma once

#include <cstdint>
#include <span>

#include "train/graph/model_graph.h"
#include "train/loss/loss_spec.h"
#include "train/run/settings/run_config.h"
#include "train/store/model_record.h"

namespace penstock::train {

/// Whether the settings that only focal losses have are heeded.
bool is_focal_run(const RunConfig& config) noexcept;

/// Returns the loss of training; `num_by_class` counts the training split.
///
/// Errors  InvalidArgument for a list that has not one value for each class
LossSpec loss_of(const RunConfig& config, std::span<const std::uint64_t> num_by_class);

/// Returns the loss that a stored model is evaluated with: its training's, without smoothing and weights of classes.
LossSpec loss_of(const ModelRecord& record);

/// Refuses a graph whose output is no score of any size: a softmax or an activation that bounds it. Losses of classes
/// apply softmax or sigmoid to the output themselves. Leaky relu passes, and with the other losses everything does.
///
/// Errors  InvalidArgument naming the layer
void check_output(const ModelGraph& graph, LossKind loss);

}  // namespace penstock::train
