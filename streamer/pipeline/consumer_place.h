// Where the consumer stands in the stream: how much it has taken, which epoch comes next.
#pragma once

#include <atomic>
#include <cstdint>

#include "streamer/core/batch.h"
#include "streamer/order/stream_epochs.h"

namespace penstock {

/// Threads  count() and what is said of epochs: the consumer's; the rest may be read by any
class ConsumerPlace {
 public:
  explicit ConsumerPlace(const StreamEpochs& epochs) noexcept;

  /// Counts a batch that the consumer takes.
  void count(const BatchView& batch) noexcept;

  std::uint64_t num_batches() const noexcept { return num_batches_; }
  std::uint64_t num_samples() const noexcept { return num_samples_; }
  std::uint64_t num_skipped() const noexcept { return num_skipped_; }
  /// Whether all batches of the stream were taken.
  bool has_ended() const noexcept { return num_batches_total_ == num_batches_; }

  /// Whether the next batch is one of `epoch`.
  bool has_batches_left(std::uint32_t epoch) const noexcept;
  /// Throws InvalidArgument, naming the epoch that comes next, unless it is `epoch`.
  void check_comes_next(std::uint32_t epoch) const;

 private:
  const StreamEpochs epochs_;
  const std::uint64_t num_batches_total_;  // UINT64_MAX: no end
  std::atomic<std::uint64_t> num_batches_{0};  // before what is worked out from it
  std::uint32_t epoch_;
  std::uint64_t num_left_of_epoch_;
  std::atomic<std::uint64_t> num_samples_{0};
  std::atomic<std::uint64_t> num_skipped_{0};
};

}  // namespace penstock
