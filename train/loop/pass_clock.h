// The bookkeeping that training and evaluation passes share: time, waiting, and who was seen.
#pragma once

#include <chrono>

#include "streamer/core/batch.h"
#include "train/loop/pass_report.h"
#include "train/loop/sample_tally.h"

namespace penstock::train {

/// Takes batches from a source and keeps the figures of a pass up to date.
class PassClock {
 public:
  /// `observer` is told of skipped samples; may be null.
  PassClock(BatchSource& source, std::uint64_t num_samples, PassObserver* observer)
      : source_(source), observer_(observer), tally_(num_samples), start_(Clock::now()) {
    report_.num_expected = num_samples;
  }

  /// Returns the next batch after counting its samples; an empty lease when the stream has ended.
  BatchLease next() {
    const Clock::time_point asked = Clock::now();
    BatchLease lease = source_.next();
    report_.waiting_s += seconds_since(asked);
    if (!lease) return lease;
    const BatchView& view = lease.view();
    tally_.add(view.sample_ids.first(view.num_valid));
    report_.num_samples += view.num_valid;
    report_.num_distinct = tally_.num_distinct();
    report_.num_skipped += view.events.size();
    if (observer_ != nullptr) {
      for (const SampleEvent& event : view.events) observer_->on_skipped(event);
    }
    return lease;
  }
  /// The report with the time of now.
  PassReport& report() {
    report_.elapsed_s = seconds_since(start_);
    return report_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  BatchSource& source_;
  PassObserver* observer_;
  SampleTally tally_;
  Clock::time_point start_;
  PassReport report_;
};

}  // namespace penstock::train
