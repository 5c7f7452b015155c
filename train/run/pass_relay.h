// What happens in one pass of a run, on its way from the trainer to those who are told.
#pragma once

#include <functional>
#include <utility>

#include "train/loop/pass_report.h"
#include "train/run/run_observer.h"

namespace penstock::train {

/// Passes on what happens in one pass.
template <class TellStep, class TellSkipped>
class PassRelay final : public PassObserver {
 public:
  PassRelay(RunObserver& observer, TellStep tell_step, TellSkipped tell_skipped)
      : observer_(observer),
        tell_step_(std::move(tell_step)),
        tell_skipped_(std::move(tell_skipped)) {}
  void on_step(const PassReport& so_far) override { tell_step_(so_far); }
  void on_skipped(const SampleEvent& event) override { tell_skipped_(event); }
  void on_batch(const BatchView& batch) override {
    if (tell_batch_) tell_batch_(batch);
  }
  void on_part() override {
    if (tell_part_) tell_part_();
  }
  void on_skipped_step(const SkippedStep& step) override { observer_.on_skipped_step(step); }
  bool wants_settled(const PassReport& so_far) override {
    return wants_settled_ && wants_settled_(so_far);
  }
  void on_settled(const PassReport& so_far) override { tell_settled_(so_far); }

  /// Told before a step, of each of its batches.
  void at_batches(std::function<void(const BatchView&)> tell) { tell_batch_ = std::move(tell); }

  /// Told within a step.
  void at_parts(std::function<void()> tell) { tell_part_ = std::move(tell); }

  /// Asked and told between two steps.
  void settle(std::function<bool(const PassReport&)> wants,
              std::function<void(const PassReport&)> tell) {
    wants_settled_ = std::move(wants);
    tell_settled_ = std::move(tell);
  }

 private:
  RunObserver& observer_;
  TellStep tell_step_;
  TellSkipped tell_skipped_;
  std::function<void(const BatchView&)> tell_batch_;
  std::function<void()> tell_part_;
  std::function<bool(const PassReport&)> wants_settled_;
  std::function<void(const PassReport&)> tell_settled_;
};

}  // namespace penstock::train
