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
#include "tools/convert/image/stored_check.h"
#include "tools/convert/source/picture_source.h"
#include "tools/convert/write/shard_plan.h"

namespace penstock::convert {

/// What was found out about one picture.
struct CheckedPicture {
  std::uint32_t picture_idx = 0;  // in the list
  std::uint64_t source_xxh3 = 0;  // of its bytes as read
  std::uint64_t stored_xxh3 = 0;  // of the bytes to be stored
  ImageVerdict verdict;

  bool is_stored() const noexcept { return convert::is_stored(verdict.fate); }
};

struct ShardTaskConfig {
  const PictureList* pictures = nullptr;  // outlives the task
  const PictureSource* source = nullptr;  // outlives the task
  std::vector<std::string> class_names;   // UTF-8
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

  /// Reads and decodes every picture of `plan`. `on_picture` hears of each, in order, on this thread.
  std::vector<CheckedPicture> check_pictures(
      const ShardPlan& plan, const std::function<void(const CheckedPicture&)>& on_picture,
      const std::stop_token& stop);

  /// Writes what is to be stored into `folder`; at least one picture must be.
  /// Throws Io when a picture has changed since it was checked.
  ManifestShard write(const ShardPlan& plan, std::vector<CheckedPicture>& checked,
                      const std::filesystem::path& folder, const std::stop_token& stop);

 private:
  struct Worker {
    explicit Worker(const ShardTaskConfig& config);
    ImageChecker checker;
    StoredChecker stored_checker;
    SourcePicture picture;
  };

  CheckedPicture check(Worker& worker, std::uint32_t picture_idx, const std::stop_token& stop);
  // Into the worker's picture.
  void read(Worker& worker, const ListedPicture& picture) const;
  // What becomes of the worker's picture.
  ImageVerdict judge(Worker& worker, std::string_view name, const std::stop_token& stop) const;
  std::vector<std::byte> stored_bytes(Worker& worker, CheckedPicture& checked,
                                      const std::stop_token& stop);

  ShardTaskConfig config_;
  std::deque<Worker> workers_;  // by thread; a checker cannot be moved
};

}  // namespace penstock::convert
