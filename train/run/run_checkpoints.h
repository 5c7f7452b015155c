// Stores the checkpoints of a run while it goes on. When one is due, others say.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "train/loop/loop_state.h"
#include "train/run/run_progress.h"
#include "train/run/run_setup.h"
#include "train/store/checkpoint_clock.h"
#include "train/store/checkpoint_folder.h"

namespace penstock::train {

/// What an earlier process left to the checkpoints of this one.
struct CheckpointHistory {
  std::optional<BestResult> best = {};
  /// Names of the damaged ones that were passed over: they go with the first new one.
  std::vector<std::string> damaged = {};
};

/// Memory  one tensor at a time: RunSetup draws the largest
class RunCheckpoints {
 public:
  /// `clock` is told when one is stored; outlives this, as the setup does.
  RunCheckpoints(RunSetup& setup, CheckpointClock& clock, CheckpointHistory history = {});

  /// Stores the run as it is between two steps, and removes what is no longer kept. Returns what went wrong,
  /// in a line; empty when nothing did. A checkpoint that cannot be written leaves those before it.
  std::string store(const RunProgress& progress, const LoopState& loop);

  /// Whether it would hold the best epoch so far: by early_stopping.monitor where the run stops early, else by
  /// the lowest loss, of validation where there is one.
  bool would_be_best(const RunProgress& progress, const LoopState& loop) const;

  /// Step of the newest one that this process stored.
  std::optional<std::uint64_t> newest_step() const noexcept { return newest_step_; }
  const std::optional<BestResult>& best() const noexcept { return best_; }

 private:
  /// The better of the best so far and the epoch that has just been done, whose checkpoint has no name yet.
  std::optional<BestResult> best_of(const RunProgress& progress, const LoopState& loop) const;
  CheckpointState state_of(const RunProgress& progress, const LoopState& loop) const;
  void write(const RunProgress& progress, const LoopState& loop);

  RunSetup& setup_;
  std::filesystem::path folder_;
  CheckpointClock& clock_;
  std::optional<BestResult> best_;
  std::vector<std::string> damaged_;
  std::optional<std::uint64_t> newest_step_;
};

}  // namespace penstock::train
