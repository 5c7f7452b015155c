// From a run's settings to its model graph, and from a stored model back to the same graph.
#pragma once

#include <cstdint>

#include "train/graph/model_graph.h"
#include "train/run/settings/run_config.h"
#include "train/store/model_record.h"

namespace penstock::train {

/// Replaces a model given as a file (`model = "net.toml"`) by its name and its layers.
/// Errors  NotFound; InvalidArgument for an empty file or one larger than 1 MiB
void inline_model_file(RunConfig& config);

/// Builds the graph for an input of `config`'s image size.
/// Errors  InvalidArgument naming the layer, or the known models; that of check_output() for `config`'s loss
ModelGraph build_run_model(const RunConfig& config, std::uint32_t channels,
                           std::uint32_t num_classes);

/// Rebuilds the graph of a stored model.
/// Errors  CorruptData when it is not the graph that the weights were trained in; `folder` names it
ModelGraph rebuild_model(const ModelRecord& record, const std::filesystem::path& folder);

}  // namespace penstock::train
