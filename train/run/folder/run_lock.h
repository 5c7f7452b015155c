// One process trains a run at a time: two would take turns at removing each other's checkpoints.
#pragma once

#include <filesystem>

#include "streamer/core/file.h"

namespace penstock::train {

/// Holds a run's folder for this process; the system lets go of it however the process ends. A file system
/// without locks holds nobody back.
class RunLock {
 public:
  /// Errors  AlreadyExists when another process holds it; Io, NotFound
  explicit RunLock(const std::filesystem::path& folder);

 private:
  UniqueFd folder_;
};

}  // namespace penstock::train
