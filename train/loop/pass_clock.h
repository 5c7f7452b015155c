// The bookkeeping that training and evaluation passes share: time, waiting, and who was seen.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "streamer/core/batch.h"
#include "train/loop/pass_report.h"
#include "train/loop/sample_tally.h"

namespace penstock::train {

/// Samples of a pass over a split.
struct PassSize {
  std::uint64_t num_samples = 0;
  std::uint64_t num_left_out = 0;  // of the split: ids go up to both together
};

/// Takes batches from a source and keeps the figures of a pass up to date, step by step.
class PassClock {
 public:
  /// `observer` is told of batches and skipped samples; `stream` is the tally of a stream's pass, which
  /// goes on in the next piece of it, cleared whenever the pass ends; `start` is what comes before the
  /// first batch, and is taken over. All may be null.
  PassClock(BatchSource& source, PassSize size, PassObserver* observer,
            SampleTally* stream = nullptr, PassStart* start = nullptr)
      : source_(source),
        observer_(observer),
        own_(stream != nullptr  ? SampleTally(0)
             : start != nullptr ? std::move(start->tally)
                                : SampleTally(size.num_samples + size.num_left_out)),
        tally_(stream == nullptr ? own_ : *stream),
        is_piece_(stream != nullptr),
        size_(size),
        start_(Clock::now()) {
    if (start != nullptr) report_ = start->report;
    if (start != nullptr && stream == nullptr) report_.num_distinct = own_.num_distinct();
    elapsed_before_s_ = report_.elapsed_s;
    report_.num_expected = size.num_samples;
    report_.was_stopped = false;
  }
  PassClock(const PassClock&) = delete;
  PassClock& operator=(const PassClock&) = delete;

  /// Returns the next batch of the step under way; an empty lease when the stream has ended.
  BatchLease next() {
    const Clock::time_point asked = Clock::now();
    BatchLease lease = source_.next();
    report_.waiting_s += seconds_since(asked);
    if (!lease) return lease;
    const BatchView& view = lease.view();
    const auto ids = view.sample_ids.first(view.num_valid);
    step_.sample_ids.insert(step_.sample_ids.end(), ids.begin(), ids.end());
    step_.num_skipped += view.events.size();
    step_.next = view.ends_epoch ? StreamPlace{.epoch = view.epoch + 1}
                                 : StreamPlace{view.epoch, view.next_position};
    step_.ends_epoch = view.ends_epoch;
    if (observer_ != nullptr) {
      observer_->on_batch(view);
      for (const SampleEvent& event : view.events) observer_->on_skipped(event);
    }
    return lease;
  }
  /// Counts the batches of the step: it was taken.
  void end_step() {
    report_.num_samples += step_.sample_ids.size();
    report_.num_distinct += tally_.add(step_.sample_ids);
    report_.num_skipped += step_.num_skipped;
    report_.next = step_.next;
    if (step_.ends_epoch) report_.num_left_out += size_.num_left_out;
    const bool ends_stream_pass = is_piece_ && step_.ends_epoch;
    drop_step();
    if (ends_stream_pass) end_stream_pass();
  }
  /// Forgets them: they come again.
  void drop_step() noexcept {
    step_.sample_ids.clear();  // keeps its memory
    step_.num_skipped = 0;
  }
  /// Runs `action`, whose time is not the pass's.
  template <class Action>
  void pause(const Action& action) {
    const Clock::time_point begin = Clock::now();
    action();
    start_ += Clock::now() - begin;
  }
  /// The report with the time of now.
  PassReport& report() {
    report_.elapsed_s = elapsed_before_s_ + seconds_since(start_);
    return report_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  /// What next() has returned since the last step was taken.
  struct OpenCount {
    std::vector<std::uint64_t> sample_ids;
    std::uint64_t num_skipped = 0;
    std::optional<StreamPlace> next;
    bool ends_epoch = false;
  };

  /// A pass of the stream has delivered every sample once, wherever it was cut.
  void end_stream_pass() {
    check_each_once({.num_samples = tally_.num_added(),
                     .num_expected = size_.num_samples,
                     .num_distinct = tally_.num_distinct()});
    tally_.clear();
  }

  BatchSource& source_;
  PassObserver* observer_;
  SampleTally own_;
  SampleTally& tally_;  // own_, or the stream's
  bool is_piece_;
  PassSize size_;
  Clock::time_point start_;
  double elapsed_before_s_ = 0;
  OpenCount step_;
  PassReport report_;
};

}  // namespace penstock::train
