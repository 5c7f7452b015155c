// Names for shards that join a dataset. Whoever takes one holds the dataset's lock.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace penstock::care {

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
