// What an earlier process left in the folder of a run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/run/run_config.h"
#include "train/run/run_lock.h"
#include "train/run/run_resume.h"

namespace penstock::train {

/// Whether a run begins or goes on.
enum class RunStart : std::uint8_t {
  kNew,     // RUN must not be there
  kResume,  // behind the newest whole checkpoint in RUN; from the start where RUN has come to none yet
};

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
