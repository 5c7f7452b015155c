// The head of the stream: plans batch after batch, in order, and hands its runs to the readers.
#pragma once

#include <cstdint>
#include <stop_token>

#include "streamer/order/epoch_order.h"
#include "streamer/order/stream_epochs.h"
#include "streamer/pipeline/batch_ring.h"
#include "streamer/read/admission.h"
#include "streamer/read/reader_pool.h"
#include "streamer/read/sample_cache.h"
#include "streamer/read/work_arena.h"

namespace penstock {

/// What the admission thread does. Each run waits here for its memory, so that what is admitted can
/// always finish, the oldest batch first.
///
/// Threads  run() by one
/// Stop     within the planning of one sample or a few thousand steps of an epoch's order, and in
///          every wait
class BatchAdmitter {
 public:
  /// Borrowed: they must outlive it.
  struct Stages {
    BatchRing& ring;
    WorkArena& arena;
    ReaderPool& readers;
    SampleCache* cache = nullptr;  // null: none
  };

  BatchAdmitter(const StreamEpochs& epochs, const OrderPlan& order, const Admission& admission,
                const Stages& stages) noexcept
      : epochs_(epochs), order_(order), admission_(admission), stages_(stages) {}

  /// Admits the whole stream, or up to a stop.
  ///
  /// Errors  CorruptData and Io of an index that is read by pages
  void run(const std::stop_token& stop);

 private:
  // The three return false after a stop.
  bool admit_epoch(std::uint32_t epoch, const std::stop_token& stop);
  bool plan(BatchSlot& slot, const PositionRange& range, const EpochOrder& order,
            const std::stop_token& stop);
  bool admit_runs(BatchSlot& slot, std::uint32_t slot_idx, const std::stop_token& stop);

  const StreamEpochs& epochs_;
  const OrderPlan& order_;
  const Admission& admission_;
  const Stages stages_;
  std::uint64_t next_seq_ = 0;
};

}  // namespace penstock
