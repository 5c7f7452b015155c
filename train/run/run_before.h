// What an earlier process left in the folder of a run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "train/run/folder/run_lock.h"
#include "train/run/run_resume.h"
#include "train/run/run_start.h"
#include "train/run/settings/run_config.h"

namespace penstock::train {

struct RunBefore {
  std::optional<RunResume> resume = {};  // there is a checkpoint
  std::optional<RunLock> lock = {};      // there is a folder

  /// Null for a run from its start.
  RunResume* resume_or_null() { return resume ? &*resume : nullptr; }
  /// Lines for a user; none for a new run.
  std::vector<std::string> notes() const;
};

/// Looks whether a run may begin, or go on, in RunConfig::out. Writes nothing.
///
/// Errors  as train_run(), of the folder and its checkpoints
RunBefore open_run_before(const RunConfig& config, RunStart start);

}  // namespace penstock::train
