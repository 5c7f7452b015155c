// What a run's network would hold, and how a step of it fits the memory limit, before any of it is taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "streamer/core/batch.h"
#include "train/plan/memory_plan.h"
#include "train/run/memory/batch_planner.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

struct NetworkPlan {
  RunConfig config;              // resolved, with the choice below
  std::uint64_t num_params = 0;  // trainable
  std::string backend;
  BatchChoice batch;
  std::string batch_note;  // see PlannedBatch::note
  /// Arena and roles; sizes by role are sums, before places are shared.
  MemoryPlan memory;
  /// Tally of samples, validation metrics, copy for checkpoints.
  std::uint64_t bookkeeping_bytes = 0;
  /// Of training, as it is delivered.
  BatchSpec delivered{};
  /// Where a GPU computes: the arena's limit there. It takes nothing of the host's then.
  std::optional<std::uint64_t> gpu_limit_bytes;
};

/// Plans the run that `config` describes, loaders included in what must fit.
///
/// Errors  those of RunSetup: OutOfMemory, with hints, when not even the smallest part of a step fits
/// Cost    reads the index of each split; lowers the graph once for each try
NetworkPlan plan_network(const RunConfig& config);

}  // namespace penstock::train
