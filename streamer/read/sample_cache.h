// Samples that stay in memory from epoch to epoch, within the budget. What it holds decides how fast
// a batch comes, never what is in it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "streamer/core/host_memory.h"
#include "streamer/core/memory_budget.h"
#include "streamer/read/cache_entry.h"
#include "streamer/read/cache_layout.h"
#include "streamer/read/cache_stats.h"
#include "streamer/read/sample_run.h"

namespace penstock {

/// Keeps the first samples of the stream that fit, and never exchanges one for another: in random
/// order every sample is as likely as any to come next, so a fixed set has the hit share of its
/// size, where one that follows the stream (LRU) would drop each sample just before it comes again.
/// Which samples are kept is decided by attach(), so it depends on the order alone.
///
///     | table | entry 0 | entry 1 | ... | entry n | free -> | given back to the budget ...
///
/// Whoever draws more of the budget than is free takes it from the end: the entries there are
/// dropped once no run reads them. What was given back is not taken again.
///
/// Contents  verified once, when they are stored; memory is trusted after that. What failed is never
///           kept, and its bytes stay unused
/// Threads   attach() from one thread, in the order of the stream; the rest from any
/// Cost      a look-up a task; nothing is allocated
class SampleCache final : public ReclaimableMemory {
 public:
  /// Null when the layout's bytes are no longer free: whoever drew them goes first.
  static std::shared_ptr<SampleCache> make(CacheForm form, const CacheLayout& layout,
                                           MemoryBudget& budget);

  /// Says in SampleTask::cached what the cache does for each task, and sees to it that the bytes
  /// stay until detach(). A task whose picture is to be kept whole is priced for that.
  void attach(std::span<SampleTask> tasks);
  /// Keeps what was filled, lets go of the rest.
  void detach(std::span<const SampleTask> tasks) noexcept;

  /// From now on reclaim() waits for nobody, as some attached tasks may never be detached: it gives
  /// back what none of them has.
  void close() noexcept;
  std::uint64_t reclaim(std::uint64_t bytes) noexcept override;

  CacheStats stats() const;

 private:
  struct Slot;

  SampleCache(CacheForm form, const CacheLayout& layout);

  void attach_one(SampleTask& task);
  Slot* find_slot(std::uint64_t key) noexcept;
  bool reserve(Slot& slot, std::uint64_t key, std::size_t size_bytes) noexcept;
  void drop(Slot& slot) noexcept;
  std::uint64_t end_of_entries() const noexcept;
  std::span<Slot> slots() const noexcept;

  const CacheForm form_;
  const CacheLayout layout_;
  BudgetShare table_share_;
  BudgetShare entries_share_;  // guarded by mutex_
  HostBuffer memory_;          // gone before its share is given back
  mutable std::mutex mutex_;
  std::condition_variable let_go_;
  // All that follows: guarded by mutex_, as are the slots.
  std::uint64_t end_bytes_ = 0;    // where the next entry begins
  std::uint64_t limit_bytes_ = 0;  // where the last one ends at most
  std::uint64_t num_used_slots_ = 0;
  std::uint64_t num_dropped_in_use_ = 0;
  std::uint64_t num_kept_ = 0;
  std::uint64_t kept_bytes_ = 0;
  std::uint64_t num_places_ = 0;
  std::uint64_t num_hits_ = 0;
  bool is_closed_ = false;
};

/// The part of a whole picture that the cache holds which answers the task's request.
DecodedView cached_picture(const SampleTask& task) noexcept;

/// Whether `view` is what cached_picture() will read.
bool is_kept_as_decoded(const SampleTask& task, const DecodedView& view) noexcept;

}  // namespace penstock
