#include "train/optim/lr_finder.h"

#include <algorithm>
#include <cmath>

#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

constexpr const char* kOwner = "lr_finder";

}  // namespace

// The comparisons are written so that NaN fails them.
void LrFinderConfig::validate() const {
  if (!(low > 0 && std::isfinite(low))) {
    refuse_setting({kOwner, "low", "a finite number above 0", number_text(low), "low = 1e-7"});
  }
  if (!(high > low && std::isfinite(high))) {
    refuse_setting({kOwner, "high", "a finite number above low", number_text(high), "high = 10"});
  }
  check_range({kOwner, "num_steps", num_steps, 10, 100'000, "num_steps = 100"});
  if (!(smoothing >= 0 && smoothing < 1)) {
    refuse_setting(
        {kOwner, "smoothing", "0 to below 1", number_text(smoothing), "smoothing = 0.9"});
  }
  if (!(divergence_factor > 1 && std::isfinite(divergence_factor))) {
    refuse_setting({kOwner, "divergence_factor", "a finite number above 1",
                    number_text(divergence_factor), "divergence_factor = 4"});
  }
}

LrFinder::LrFinder(const LrFinderConfig& config) : config_(config) {
  config_.validate();
  points_.reserve(config_.num_steps);
}

double LrFinder::learning_rate(std::uint32_t step_idx) const noexcept {
  const double share = static_cast<double>(step_idx) / (config_.num_steps - 1);
  return config_.low * std::pow(config_.high / config_.low, share);
}

LrFinderOutcome LrFinder::add(double loss) {
  if (!std::isfinite(loss)) return LrFinderOutcome::kDiverged;
  running_ = config_.smoothing * running_ + (1 - config_.smoothing) * loss;
  const auto step_idx = static_cast<std::uint32_t>(points_.size());
  // As Adam's: without it the first losses would be drawn to 0.
  const double smoothed = running_ / (1 - std::pow(config_.smoothing, step_idx + 1.0));
  points_.push_back({learning_rate(step_idx), loss, smoothed});
  const bool is_past_start = points_.size() > 2;
  if (is_past_start && smoothed > config_.divergence_factor * best_) {
    return LrFinderOutcome::kDiverged;
  }
  best_ = points_.size() == 1 ? smoothed : std::min(best_, smoothed);
  return points_.size() >= config_.num_steps ? LrFinderOutcome::kFinished
                                             : LrFinderOutcome::kContinue;
}

std::optional<std::size_t> LrFinder::steepest_point() const {
  // Differences of neighbours on both sides: the rates stand at equal distances of their logarithm.
  std::optional<std::size_t> steepest;
  double lowest = 0;
  for (std::size_t i = config_.num_steps / 10; i + 1 < points_.size(); ++i) {
    const double slope = points_[i + 1].smoothed_loss - points_[i - 1].smoothed_loss;
    if (!(slope < lowest)) continue;
    lowest = slope;
    steepest = i;
  }
  return steepest;
}

std::string lr_finder_csv(std::span<const LrFinderPoint> points) {
  std::string csv = "learning_rate,loss,smoothed_loss\n";
  for (const LrFinderPoint& point : points) {
    csv += number_text(point.learning_rate) + ',' + number_text(point.loss) + ',' +
           number_text(point.smoothed_loss) + '\n';
  }
  return csv;
}

}  // namespace penstock::train
