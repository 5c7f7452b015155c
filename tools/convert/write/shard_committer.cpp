#include "tools/convert/write/shard_committer.h"

#include <utility>

namespace penstock::convert {

ShardCommitter::ShardCommitter(std::function<void(FilledShard)> commit)
    : commit_(std::move(commit)), thread_([this] { work(); }) {}

ShardCommitter::~ShardCommitter() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

void ShardCommitter::wait_until_idle(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [this] { return !next_ && !is_busy_; });
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ShardCommitter::hand_over(FilledShard shard) {
  std::unique_lock lock(mutex_);
  wait_until_idle(lock);
  next_.emplace(std::move(shard));
  changed_.notify_all();
}

void ShardCommitter::wait() {
  std::unique_lock lock(mutex_);
  wait_until_idle(lock);
}

void ShardCommitter::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return next_ || is_closed_; });
    if (!next_) return;
    FilledShard shard = std::move(*next_);
    next_.reset();
    is_busy_ = true;
    lock.unlock();
    std::exception_ptr error;
    try {
      commit_(std::move(shard));
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    is_busy_ = false;
    if (error) error_ = error;
    changed_.notify_all();
  }
}

}  // namespace penstock::convert
