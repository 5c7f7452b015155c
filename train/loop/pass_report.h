// What a pass over the data came to, and who is told while it runs. The loop never prints.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "streamer/core/batch.h"
#include "train/backend/program.h"
#include "train/loop/sample_tally.h"

namespace penstock::train {

/// Sums of the reports of many steps, in double: means do not depend on how batches were cut.
struct StepTotals {
  double weighted_loss_sum = 0;
  double weight_sum = 0;
  std::uint64_t num_counted = 0;
  std::uint64_t num_correct = 0;

  void add(const StepReport& report) noexcept {
    weighted_loss_sum += report.weighted_loss_sum;
    weight_sum += report.weight_sum;
    num_counted += report.num_counted;
    num_correct += report.num_correct;
  }
  void add(const StepTotals& others) noexcept {
    weighted_loss_sum += others.weighted_loss_sum;
    weight_sum += others.weight_sum;
    num_counted += others.num_counted;
    num_correct += others.num_correct;
  }
  /// Mean loss per unit of weight; NaN while nothing was counted.
  double loss() const noexcept {
    return weight_sum > 0 ? weighted_loss_sum / weight_sum
                          : std::numeric_limits<double>::quiet_NaN();
  }
  /// Share of the counted samples whose highest score is their label, 0 to 1; NaN for none.
  double top1() const noexcept {
    return num_counted > 0 ? static_cast<double>(num_correct) / static_cast<double>(num_counted)
                           : std::numeric_limits<double>::quiet_NaN();
  }
};

/// Where a stream of batches goes on.
struct StreamPlace {
  std::uint32_t epoch = 0;
  std::uint64_t next_position = 0;  // of that epoch, over all ranks
};

/// One pass over a split, finished or under way.
struct PassReport {
  StepTotals totals = {};
  std::uint64_t num_samples = 0;   // delivered, skipped ones included
  std::uint64_t num_expected = 0;  // in the whole pass
  std::uint64_t num_distinct = 0;  // different samples among those delivered
  std::uint64_t num_left_out = 0;  // of the passes that ended: not in num_expected, never delivered
  std::uint64_t num_skipped = 0;   // delivered with weight 0 because their data failed
  std::uint64_t num_steps = 0;     // skipped ones included
  std::uint64_t num_skipped_steps = 0;  // changed no weight: something in them was not finite
  double elapsed_s = 0;
  double waiting_s = 0;      // of these, blocked waiting for a batch
  double learning_rate = 0;  // of the last step; 0 in an evaluation
  bool was_stopped = false;  // ended early because a stop was asked for
  /// Behind the last batch; nothing before the first.
  std::optional<StreamPlace> next = {};

  double images_per_s() const noexcept {
    return elapsed_s > 0 ? static_cast<double>(num_samples) / elapsed_s : 0;
  }
  double waiting_share() const noexcept { return elapsed_s > 0 ? waiting_s / elapsed_s : 0; }
  bool is_each_once() const noexcept {
    return num_samples == num_expected && num_distinct == num_expected;
  }
};

/// Throws Internal unless every sample that was expected came once.
void check_each_once(const PassReport& report);

/// A step whose loss or gradients were not finite; the weights are those before it.
struct SkippedStep {
  std::uint64_t step_idx = 0;  // of the run
  double learning_rate = 0;
  std::uint32_t num_in_a_row = 1;
};

/// "step 341 skipped: its loss or gradients were not finite at learning rate 0.1 (2 in a row)"
std::string skipped_step_text(const SkippedStep& step);

/// The part of a pass that was taken before: by an earlier process.
struct PassStart {
  PassReport report;
  SampleTally tally;
};

/// Is told how a pass goes on, on the thread that runs it.
class PassObserver {
 public:
  virtual ~PassObserver() = default;
  /// After every step.
  virtual void on_step(const PassReport& so_far) = 0;
  /// Before the step of a batch. One that is dropped brings its batches again.
  virtual void on_batch(const BatchView& /*batch*/) {}
  /// Within a training step, after each of its parts but the last: a stop that is asked for here drops the
  /// step.
  virtual void on_part() {}
  /// Before the step of a batch, for each of its samples whose data failed.
  virtual void on_skipped(const SampleEvent& /*event*/) {}
  /// When it is known, which may be some steps later.
  virtual void on_skipped_step(const SkippedStep& /*step*/) {}
  /// After every training step but the last of a pass: whether on_settled() is wanted.
  virtual bool wants_settled(const PassReport& /*so_far*/) { return false; }
  /// Between two steps: all that was run has finished, and its reports are in. Its time is not the pass's.
  virtual void on_settled(const PassReport& /*so_far*/) {}
};

}  // namespace penstock::train
