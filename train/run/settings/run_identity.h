// What decides the weights of a run, as text and as a hash. The only list of these settings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "train/graph/model_graph.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

struct RunIdentity {
  /// One `key=value` per line in fixed order, then the graph.
  std::string text;
  /// XXH3-64 of the text.
  std::uint64_t hash = 0;
};

/// What the list is made of.
struct IdentityParts {
  const RunConfig& config;  // resolved
  const ModelGraph& graph;
  std::string_view pipeline;  // pipeline_identity() of the training loader
  std::string_view backend;   // Backend::description(): library, threads, instruction set
  /// Digest of the file of initial weights; empty for drawn ones.
  std::string initial_weights = {};
};

/// Lists every setting that affects the bytes of the weights. Memory limits, loader threads and
/// paths are not among them.
RunIdentity run_identity(const IdentityParts& parts);

}  // namespace penstock::train
