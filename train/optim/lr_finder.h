// Looks for a learning rate: trains a few steps while the rate rises exponentially, and watches the
// loss (Smith, Cyclical learning rates for training neural networks, 2017, section 3.3). Keeps
// numbers only; the loop takes the steps and puts the weights back afterwards.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace penstock::train {

struct LrFinderConfig {
  /// The first and the last rate, above 0 and ascending.
  double low = 1e-7;
  double high = 10;
  /// Steps from one to the other, 10 to 100,000.
  std::uint32_t num_steps = 100;
  /// Share of the smoothed loss that each step keeps, 0 to below 1. More hides noise and moves the
  /// suggestion up: 0.9 lags by about ten steps.
  double smoothing = 0.9;
  /// Ends the search when the smoothed loss is above so many times its smallest value, above 1.
  double divergence_factor = 4;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

struct LrFinderPoint {
  double learning_rate = 0;
  double loss = 0;
  double smoothed_loss = 0;
};

/// What a step's loss means for the search.
enum class LrFinderOutcome : std::uint8_t {
  kContinue,
  kFinished,  // that was the last step
  kDiverged,  // the loss is far above its best, or not finite
};

/// How the loss falls over the rates.
struct LrFinderFall {
  double start_loss = 0;       // mean loss over the first tenth of the rates
  double noise = 0;            // standard deviation of the losses there: how batches differ
  std::size_t bottom_idx = 0;  // of the lowest smoothed loss before any blow-up
  double depth = 0;            // from start_loss down to it; 0 when it is not below the first one

  bool is_clear() const noexcept { return depth > noise && depth > 0; }
};

/// The search. For each step in order, the loop trains with `learning_rate(step)` and calls `add()`
/// with the loss, until that returns something else than kContinue. Steps may be under way whose loss
/// is not known yet.
///
/// The suggestion is the largest rate at which the loss still falls clearly: the last point before the bottom
/// where a tenth of the fall is to come. A slope would not do: of noisy losses the steepest is anywhere.
///
/// Source  smoothing with its correction, the bar of 4 times the best from the third step on, the
///         first tenth left out of the suggestion: lr_finder.py of Lightning 2. "The last point
///         where the loss was clearly decreasing": Howard and Gugger, Deep Learning for Coders with
///         fastai and PyTorch, 2020, chapter 5; what is clear is ours.
class LrFinder {
 public:
  /// Throws InvalidArgument, as LrFinderConfig::validate().
  explicit LrFinder(const LrFinderConfig& config);

  /// Rate of a step: low * (high / low)^(step / (num_steps - 1)).
  double learning_rate(std::uint32_t step_idx) const noexcept;
  /// Takes the loss of the next step. One that is not finite ends the search and is not kept.
  LrFinderOutcome add(double loss);

  std::span<const LrFinderPoint> points() const noexcept { return points_; }
  /// All zeros while there is no more than the first tenth.
  LrFinderFall fall() const;
  /// Index into points() of the suggestion, whose smoothed loss is below the first one; nothing when the fall
  /// is not clear.
  std::optional<std::size_t> suggested_point() const;

 private:
  std::size_t num_start_points() const noexcept;

  LrFinderConfig config_;
  std::vector<LrFinderPoint> points_;
  double running_ = 0;  // the smoothed loss before its correction
  double best_ = 0;
};

}  // namespace penstock::train
