// A fixed number of batches in pinned or page-aligned memory, going round: free, being filled,
// ready, lent out.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "streamer/core/batch.h"
#include "streamer/core/host_memory.h"
#include "streamer/core/memory_budget.h"
#include "streamer/core/ring_queue.h"
#include "streamer/read/sample_run.h"
#include "streamer/read/stage_counters.h"

namespace penstock {

/// Where a batch stands in the stream.
struct BatchStamp {
  std::uint64_t seq = 0;  // counts the loader's batches from 0
  std::uint64_t next_position = 0;
  std::uint32_t epoch = 0;
  std::uint32_t num_valid = 0;
  bool ends_epoch = false;
};

/// One batch's memory and book-keeping. Belongs to one stage at a time, so it needs no lock.
struct BatchSlot {
  std::byte* pixels = nullptr;    // in the ring's buffer
  std::vector<SampleTask> tasks;  // [batch]
  std::vector<std::uint32_t> class_idx;
  std::vector<float> targets;  // [batch, num_targets]; empty without LabelForm::kTargets
  std::vector<float> weights;
  std::vector<std::uint64_t> sample_ids;
  std::vector<std::uint64_t> positions;
  std::vector<SampleEvent> events;
  BatchStamp stamp;
  std::uint32_t places_left = 0;  // collate counts down
};

struct RingStats {
  QueueStats ready;               // pixels of batches that wait for the consumer
  QueueStats lent;                // pixels of batches with the consumer
  std::int64_t slot_wait_ns = 0;  // in acquire()
};

/// Threads   acquire() by the admission thread, publish() in order by one thread, take() by the
///           consumer, give_back(), fail(), stop() and stats() by any
/// Lifetime  shared by the loader and by every lease
class BatchRing final : public LeaseOwner, public std::enable_shared_from_this<BatchRing> {
 public:
  struct Config {
    BatchSpec spec;
    std::uint32_t num_slots = 4;
  };

  BatchRing(Config config, MemoryBudget& budget, std::shared_ptr<HostMemory> host_memory);

  /// Bytes that such a ring draws from the budget.
  static std::uint64_t price_bytes(const Config& config) noexcept;

  const BatchSpec& spec() const noexcept { return config_.spec; }
  BatchSlot& slot(std::uint32_t slot_idx) noexcept { return slots_[slot_idx]; }

  /// Takes a free slot, after a stop too; waits for one until `stop` is requested, then empty.
  std::optional<std::uint32_t> acquire(const std::stop_token& stop);
  /// Makes a filled slot the next one to be taken. After fail() nothing is published any more.
  void publish(std::uint32_t slot_idx);
  /// Stores the first fatal error and wakes the consumer.
  void fail(std::exception_ptr error) noexcept;
  /// Ends the stream at once: take() throws Stopped, or the fatal error that came first, also where
  /// it waits already. Batches that nobody took are dropped.
  void stop() noexcept;
  /// Waits for the next batch; what was published before an error is still handed out, then the
  /// error is thrown, at every later call too.
  ///
  /// Errors  the stored one; InvalidArgument when all slots are lent out (BatchSource::next)
  BatchLease take();
  /// The same within `timeout`; empty when it passed.
  BatchLease take_within(std::chrono::nanoseconds timeout);
  void give_back(std::uint32_t slot_idx) noexcept override;

  /// `now_ns` of the steady clock: a wait under way counts up to then.
  RingStats stats(std::int64_t now_ns) const noexcept;

 private:
  bool has_news() const noexcept { return !ready_.empty() || error_ != nullptr; }  // under mutex_
  void check_not_all_lent() const;                                                 // under mutex_
  BatchLease take_ready();                                                         // under mutex_
  BatchView view_of(const BatchSlot& slot) const noexcept;

  const Config config_;
  BudgetShare share_;
  HostBuffer pixels_;
  std::vector<BatchSlot> slots_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::condition_variable published_;
  std::vector<std::uint32_t> free_;                    // guarded by mutex_
  RingQueue<std::uint32_t> ready_{config_.num_slots};  // guarded by mutex_
  std::uint32_t num_lent_ = 0;                         // guarded by mutex_
  std::exception_ptr error_;                           // guarded by mutex_
  QueueBytes ready_bytes_;
  QueueBytes lent_bytes_;
  Stopwatch slot_waiting_;  // acquire()
};

}  // namespace penstock
