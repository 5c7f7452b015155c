// Keeps two that change one dataset apart. Readers take no part: they see the old manifest or the new.
#pragma once

#include <filesystem>

#include "streamer/core/file.h"

namespace penstock::care {

class DatasetLock {
 public:
  /// Locks the folder while it lives.
  ///
  /// Errors  AlreadyExists when somebody else holds it; NotFound, Io
  explicit DatasetLock(const std::filesystem::path& dataset);

 private:
  UniqueFd folder_;
};

/// A name for the next shard of a split, "train-00007.h5": above every number in the folder and
/// above those given before, which `last` remembers.
class ShardNumbers {
 public:
  explicit ShardNumbers(const std::filesystem::path& dataset) : dataset_(dataset) {}
  std::string next(const std::string& split);

 private:
  std::filesystem::path dataset_;
  std::string split_;
  std::uint64_t last_ = 0;
};

}  // namespace penstock::care
