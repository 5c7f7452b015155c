// Bytes for work whose results leave in order: drawn in that order too, so that nobody waits for
// memory that somebody later holds. Knows nothing of pictures.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace penstock::convert {

/// Threads  every member may be called from any thread
/// Errors   Stopped from await() and draw() once halt() was called
class TurnBudget {
 public:
  explicit TurnBudget(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  /// Waits until all turns before `turn` have passed; turns count from 0.
  void await(std::size_t turn);
  /// Waits until `bytes` are free, and draws them: by whose turn it is, and at most the limit. Comes
  /// to an end, since what is held is held by earlier turns alone.
  void draw(std::uint64_t bytes);
  /// Lets the next turn draw.
  void pass();
  void give_back(std::uint64_t bytes) noexcept;
  /// Ends all waiting.
  void halt() noexcept;

  std::uint64_t limit_bytes() const noexcept { return limit_bytes_; }

 private:
  void check_halted() const;

  const std::uint64_t limit_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t used_bytes_ = 0;  // guarded by mutex_
  std::size_t turn_ = 0;          // guarded by mutex_
  bool is_halted_ = false;        // guarded by mutex_
};

}  // namespace penstock::convert
