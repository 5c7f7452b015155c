// The bytes that samples in flight share: encoded, scratch and decoded, in one mapping.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "streamer/core/host_memory.h"
#include "streamer/core/memory_budget.h"
#include "streamer/read/stage_counters.h"

namespace penstock {

/// A piece of a WorkArena; a plain value, so that it can travel in messages.
struct WorkBlock {
  std::size_t offset_bytes = 0;
  std::size_t size_bytes = 0;
};

struct ArenaStats {
  QueueStats in_flight;
  std::int64_t wait_ns = 0;  // in acquire()
};

/// Hands out pieces of one fixed mapping, lowest address first.
///
/// Waiting ends, though the free bytes may lie in pieces: there is one acquirer, so whatever is
/// held was granted before the request that waits. Whoever holds a block needs no other to finish
/// and gives it back; once all have, the arena is one piece again, which fits every request that
/// acquire() takes. A request never passes one that waits, so none starves.
///
/// Threads  acquire() from one thread at a time (this is what keeps it in order); release() from
/// any
class WorkArena {
 public:
  /// Every block starts at a multiple of this: a cache line, and what libjpeg's SIMD code wants.
  static constexpr std::size_t kAlignmentBytes = 64;

  /// Blocks that may be held at a time without an allocation, where the caller knows no better.
  static constexpr std::size_t kUsualBlocks = 1023;

  WorkArena(std::size_t size_bytes, MemoryBudget& budget, std::size_t max_blocks = kUsualBlocks);

  /// Takes `size_bytes` in one piece, after a stop too; waits for them until `stop` is requested,
  /// then empty. Throws Internal when it is larger than the arena.
  std::optional<WorkBlock> acquire(std::size_t size_bytes, const std::stop_token& stop);
  void release(const WorkBlock& block) noexcept;

  std::span<std::byte> bytes(const WorkBlock& block) const noexcept {
    return memory_.bytes().subspan(block.offset_bytes, block.size_bytes);
  }
  std::size_t size_bytes() const noexcept { return memory_.size_bytes(); }
  std::size_t high_water_bytes() const;
  /// `now_ns` of the steady clock: a wait under way counts up to then. From any thread.
  ArenaStats stats(std::int64_t now_ns) const;

 private:
  std::optional<WorkBlock> take_first_fit(std::size_t size_bytes);

  BudgetShare share_;
  HostBuffer memory_;
  mutable std::mutex mutex_;
  std::condition_variable_any freed_;
  std::vector<WorkBlock> free_;       // guarded by mutex_; by address, no two adjacent; so never
                                      // more than the blocks held and one: release() cannot throw
  Stopwatch waiting_;                 // acquire()
  std::size_t used_bytes_ = 0;        // guarded by mutex_
  std::size_t high_water_bytes_ = 0;  // guarded by mutex_
};

/// Rounds up to the arena's alignment.
constexpr std::size_t align_up(std::size_t bytes) noexcept {
  constexpr std::size_t kMask = WorkArena::kAlignmentBytes - 1;
  return (bytes + kMask) & ~kMask;
}

}  // namespace penstock
