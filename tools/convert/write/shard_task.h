// One shard from its plan: first all files are checked in parallel, then the shard is created at
// its exact size and filled. Knows nothing of the dataset around it.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "streamer/shard/manifest.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/write/shard_plan.h"

namespace penstock::convert {

/// What was found out about one file.
struct CheckedFile {
  PlacedFile placed;
  std::uint64_t size_bytes = 0;   // as read
  std::uint64_t source_xxh3 = 0;  // of the file as read
  std::uint64_t stored_xxh3 = 0;  // of the bytes to be stored
  ImageVerdict verdict;

  bool is_stored() const noexcept {
    return verdict.fate == FileFate::kKept || is_made_anew(verdict.fate);
  }
};

struct ShardTaskConfig {
  std::filesystem::path source;
  const FolderScan* scan = nullptr;      // outlives the task
  std::vector<std::string> class_names;  // UTF-8
  std::uint64_t max_px = 0;
  unsigned num_jobs = 1;
  bool store_names = true;
  SeveralScans several_scans = SeveralScans::kKept;
  /// Re-encoded bytes of one shard that are kept until they are written; what is beyond is encoded
  /// a second time.
  std::uint64_t spool_bytes = 64ull << 20;
};

/// Does the shards of one conversion, one after the other; keeps the workers' buffers.
class ShardTask {
 public:
  explicit ShardTask(ShardTaskConfig config);

  /// Reads and decodes every file of `plan`. `on_file` hears of each, in order, on this thread.
  std::vector<CheckedFile> check_files(const ShardPlan& plan,
                                       const std::function<void(const CheckedFile&)>& on_file,
                                       const std::stop_token& stop);

  /// Writes what is to be stored into `folder`; at least one file must be.
  /// Throws Io when a file has changed since it was checked.
  ManifestShard write(const ShardPlan& plan, std::vector<CheckedFile>& files,
                      const std::filesystem::path& folder, const std::stop_token& stop);

 private:
  CheckedFile check_file(unsigned thread_idx, const PlacedFile& placed,
                         const std::stop_token& stop);
  std::vector<std::byte> stored_bytes(unsigned thread_idx, CheckedFile& file,
                                      const std::stop_token& stop);
  std::filesystem::path full_path(const PlacedFile& placed) const;
  const std::string& relative_path(const PlacedFile& placed) const;

  ShardTaskConfig config_;
  std::deque<ImageChecker> checkers_;  // by thread; a checker cannot be moved
};

}  // namespace penstock::convert
