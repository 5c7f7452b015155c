// Running statistics and a step that turns out not to be finite: its forward runs have moved them before
// anybody could know, so what they were is kept, and put back.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace penstock::train {

/// What the training programs of one set of parameters know together of the step under way: they may take
/// turns at its micro-batches. Lies in their arena; zeros between two steps.
struct StepUnderWay {
  bool has_begun = false;     // with a forward run
  bool has_bad_loss = false;  // one of its runs had a loss that is not finite
};

/// Statistics of one parameter, and their copy from before the step.
template <class T>
struct StatisticsTensor {
  std::size_t num_elements = 0;
  T* running = nullptr;
  T* before_step = nullptr;
};

/// Cost  two copies of a few values a channel in each step; allocates when it is made, not when it runs
template <class T>
class StatisticsGuard {
 public:
  StatisticsGuard(StepUnderWay& step, std::vector<StatisticsTensor<T>> tensors)
      : step_(step), tensors_(std::move(tensors)) {}

  /// Before every forward run; the first one of a step keeps what there is.
  void begin_run() {
    if (std::exchange(step_.has_begun, true)) return;
    for (const StatisticsTensor<T>& t : tensors_) {
      std::copy_n(t.running, t.num_elements, t.before_step);
    }
  }

  /// After every forward run.
  void end_run(bool is_loss_finite) { step_.has_bad_loss |= !is_loss_finite; }

  /// Whether all losses of the step, and the statistics that they have led to, are finite.
  bool is_finite() const {
    const auto is_number = [](T value) { return std::isfinite(value); };
    return !step_.has_bad_loss && std::ranges::all_of(tensors_, [&](const StatisticsTensor<T>& t) {
      return std::ranges::all_of(std::span(t.running, t.num_elements), is_number);
    });
  }

  /// Ends the step; `is_kept` false undoes what it did.
  void end_step(bool is_kept) {
    if (step_.has_begun && !is_kept) {
      for (const StatisticsTensor<T>& t : tensors_) {
        std::copy_n(t.before_step, t.num_elements, t.running);
      }
    }
    step_ = {};
  }

 private:
  StepUnderWay& step_;
  std::vector<StatisticsTensor<T>> tensors_;
};

}  // namespace penstock::train
