// Looks for a learning rate: trains a few steps while the rate rises exponentially, and watches the
// loss (Smith, Cyclical learning rates for training neural networks, 2017, section 3.3). Keeps
// numbers only; the loop takes the steps and puts the weights back afterwards.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
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

/// The search. For each step in order, the loop trains with `learning_rate(step)` and calls `add()`
/// with the loss, until that returns something else than kContinue. Steps may be under way whose loss
/// is not known yet.
///
/// Source  smoothing with its correction, the bar of 4 times the best from the third step on, the
///         first tenth left out of the suggestion: lr_finder.py of Lightning 2. The slope is taken
///         over the logarithm of the rate, not the rate.
class LrFinder {
 public:
  /// Throws InvalidArgument, as LrFinderConfig::validate().
  explicit LrFinder(const LrFinderConfig& config);

  /// Rate of a step: low * (high / low)^(step / (num_steps - 1)).
  double learning_rate(std::uint32_t step_idx) const noexcept;
  /// Takes the loss of the next step. One that is not finite ends the search and is not kept.
  LrFinderOutcome add(double loss);

  std::span<const LrFinderPoint> points() const noexcept { return points_; }
  /// Index into points() of where the smoothed loss falls most steeply; nothing when it falls
  /// nowhere, or there are too few points to say.
  std::optional<std::size_t> steepest_point() const;

 private:
  LrFinderConfig config_;
  std::vector<LrFinderPoint> points_;
  double running_ = 0;  // the smoothed loss before its correction
  double best_ = 0;
};

/// Returns the points as CSV: learning_rate,loss,smoothed_loss, with a line of names.
std::string lr_finder_csv(std::span<const LrFinderPoint> points);

}  // namespace penstock::train
