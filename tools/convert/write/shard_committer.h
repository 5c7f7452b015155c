// Finishes shards on a thread of its own, one after another: the next one is filled while the disk
// takes this one.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "streamer/shard/shard_writer.h"
#include "tools/convert/write/journal.h"

namespace penstock::convert {

/// A shard whose samples are all added.
struct FilledShard {
  std::size_t shard_idx = 0;          // in the list of plans
  std::optional<ShardWriter> writer;  // nothing when no picture was stored
  JournalShard record;                // without its `shard`
};

class ShardCommitter {
 public:
  /// `commit` runs on the thread, for each shard in the order of the calls.
  explicit ShardCommitter(std::function<void(FilledShard shard)> commit);
  ShardCommitter(const ShardCommitter&) = delete;
  ShardCommitter& operator=(const ShardCommitter&) = delete;
  ~ShardCommitter();  // finishes what was handed over; errors are lost

  /// Waits until the shard before is done. Throws what that one's commit has thrown.
  void hand_over(FilledShard shard);
  /// Waits until all are done. Throws what a commit has thrown.
  void wait();

 private:
  void work();
  void wait_until_idle(std::unique_lock<std::mutex>& lock);

  const std::function<void(FilledShard)> commit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<FilledShard> next_;  // guarded by mutex_
  bool is_busy_ = false;             // guarded by mutex_
  bool is_closed_ = false;           // guarded by mutex_
  std::exception_ptr error_;         // guarded by mutex_
  std::jthread thread_;
};

}  // namespace penstock::convert
