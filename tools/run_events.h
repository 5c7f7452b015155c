// A run as JSON while it goes on, for notebooks and scripts: one object per line on standard output, each with
// the field "event". tools/README.md lists them.
#pragma once

#include <chrono>
#include <string>

#include "streamer/core/error.h"
#include "train/run/session.h"

namespace penstock::tools {

/// Prints what happens, and passes it on.
///
/// "epoch" and "validation" are the lines of metrics.jsonl; "step" tells of the pass so far, at most once a
/// second, the first step always.
/// Threads  one at a time
class RunEvents final : public train::RunObserver {
 public:
  /// `next` is told of everything too, and outlives this.
  explicit RunEvents(train::RunObserver& next) : next_(next) {}

  void on_start(const train::RunOverview& overview) override;
  void on_train_step(const train::EpochReport& so_far) override;
  void on_train_batch(const BatchView& batch) override;
  void on_validation_step(const train::EpochReport& train_done,
                          const train::PassReport& so_far) override;
  void on_epoch(const train::EpochReport& report) override;
  void on_validation(const train::EpochReport& so_far, const train::MetricTable& metrics) override;
  void on_skipped(const train::SkippedSample& sample) override;
  void on_skipped_step(const train::SkippedStep& step) override;
  void on_checkpoint(std::uint64_t num_steps) override;
  void on_note(const std::string& text) override;
  void on_warning(const std::string& text) override;

 private:
  train::RunObserver& next_;
  std::chrono::steady_clock::time_point next_step_event_;
};

/// Prints the last line of a run that failed.
void print_error_event(const Error& error);

}  // namespace penstock::tools
