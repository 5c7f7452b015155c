// Takes the time of a pass that is cut short: between the batches that it asks for.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "streamer/core/batch.h"
#include "train/run/trial/run_forecast.h"

namespace penstock::train {

struct BatchTiming {
  /// Batches whose time is left out: the first ones find caches and read-ahead empty.
  std::uint32_t num_warm_up = 2;
  /// Batches after these that are timed at least, however long they take.
  std::uint32_t min_timed = 2;
  /// Seconds after which no further one begins.
  double enough_s = 4;
};

/// Hands on the batches of `source`, and asks for a stop of their pass when enough were timed.
///
/// Threads  one caller at a time
class TimedBatches final : public BatchSource {
 public:
  /// `at_batch` is told how many came; may be empty. `source` and `end` outlive this.
  TimedBatches(BatchSource& source, std::stop_source& end, const BatchTiming& timing,
               std::function<void(std::uint64_t)> at_batch);

  const BatchSpec& spec() const noexcept override { return source_.spec(); }
  SourceStats stats() const override { return source_.stats(); }
  BatchLease next() override;

  /// To be called when the pass has returned: its last batch ends here. All batches count when there were no
  /// more than the warm-up.
  TimedPass finish() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Mark {
    Clock::time_point asked_at;
    Clock::time_point given_at;
    std::uint32_t num_samples = 0;
  };

  bool has_enough(Clock::time_point now) const;

  BatchSource& source_;
  std::stop_source& end_;
  BatchTiming timing_;
  std::function<void(std::uint64_t)> at_batch_;
  std::vector<Mark> marks_;
};

}  // namespace penstock::train
