// Keeps two that write into one folder apart. Readers of a dataset take no part: they see the old manifest or
// the new.
#pragma once

#include <filesystem>

#include "streamer/core/error.h"
#include "streamer/core/file.h"

namespace penstock::convert {

/// Locks a folder while it lives: by flock(2), so it ends with the process, however that ends.
class FolderLock {
 public:
  /// Locks what `folder` was opened from by `path`.
  ///
  /// Errors  `busy` when somebody else holds it; those of check_in_place(); Io
  FolderLock(UniqueFd folder, std::filesystem::path path, const Error& busy);

  /// Throws AlreadyExists when the path does not lead to the folder that is locked: it was moved, replaced or
  /// removed.
  void check_in_place() const;

 private:
  UniqueFd folder_;
  std::filesystem::path path_;
};

/// Held by whoever changes a dataset or replaces it.
class DatasetLock : public FolderLock {
 public:
  /// Errors  AlreadyExists when somebody else holds it; NotFound, Io
  explicit DatasetLock(const std::filesystem::path& dataset);
};

}  // namespace penstock::convert
