// How a step fits the memory limit: in one piece, with values computed again, or in parts. Nothing is allocated
// while it is found out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "train/backend/backend.h"
#include "train/graph/model_graph.h"
#include "train/loop/program_set.h"
#include "train/plan/recompute_sets.h"
#include "train/run/memory/device_memory.h"

namespace penstock::train {

struct BatchWish {
  /// Samples of a step; kWholeEpoch for those of an epoch.
  std::uint32_t batch_size = 32;
  /// The most samples that are computed at once; 0 for as many as fit.
  std::uint32_t micro_batch = 0;
  /// The most samples that a GPU had room for when they were tried; 0: nothing was tried.
  std::uint32_t most_at_once = 0;
  /// Which values are computed again; kAuto for as few as can be.
  RecomputeWish recompute = RecomputeWish::kAuto;
  /// Whether a step that does not fit may be cut.
  bool may_cut = true;
  /// Whether samples of one delivered batch are mixed with each other: such a batch is not delivered in parts.
  bool mixes_samples = false;
  /// Whether a step is delivered as one batch, in how many parts it may be computed.
  bool is_delivered_whole = false;
};

/// What came of it. It belongs to a run's record: with batch norm, results depend on it.
struct BatchChoice {
  std::uint32_t step_samples = 0;
  std::uint32_t lease_batch = 0;  // samples of a batch as the loader delivers it
  std::uint32_t micro_batch = 0;  // samples that are computed at once, at most
  Recompute recompute = Recompute::kNone;
};

struct PlannedBatch {
  BatchChoice choice;
  /// Of the choice; not bound.
  std::unique_ptr<ProgramSet> programs;
  /// One line, where the choice is not the plain one: "batch 32 in parts of 11: ..."; and that a level of recompute
  /// which was asked for saves nothing.
  std::string note;
};

/// What steps are planned for.
struct BatchSurroundings {
  Backend& backend;
  const ModelGraph& graph;
  /// Sizes and recompute set are filled in.
  ProgramSetConfig programs;
  std::uint64_t num_train_samples = 0;
  /// Samples per evaluation step; 0 for as many as are computed at once in training.
  std::uint32_t evaluation_batch = 0;
  std::uint64_t limit_bytes = 0;
  /// The arena's own limit, where it lies in a GPU's memory.
  std::optional<DeviceLimit> device = {};
  /// Whether what is taken is lowered again there, with trials of its products.
  bool runs_trials = true;
  /// What has to lie beside the programs' arena in the host's memory: loaders, tally.
  std::function<std::uint64_t(const BatchChoice&)> bytes_beside;
  /// Heeded before each try.
  std::stop_token stop = {};
};

/// Tries in this order, and takes what fits first: the whole step with all values kept; with more and more of them
/// computed again, which changes no result; the largest part that fits. With batch norm that is the largest with
/// any values computed again, with as few of them as that size needs: it sees a part at a time. Without, a part is
/// as good as the whole, and values are dropped only when not even one sample fits.
///
/// Errors  OutOfMemory when nothing fits, with what the least needs and three hints; InvalidArgument, those of
///         ProgramSet; Stopped
/// Cost    lowers the graph once for each try, some hundredths of a second; on a GPU the one that is taken is lowered
///         again, with trials of its products
PlannedBatch plan_batch(const BatchSurroundings& around, const BatchWish& wish);

}  // namespace penstock::train
