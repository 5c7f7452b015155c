#include "train/optim/lr_finder.h"

#include <algorithm>
#include <cmath>

#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

constexpr const char* kOwner = "lr_finder";
/// Of the fall, what is still to come at the rate that is suggested.
constexpr double kLeftOfFall = 0.1;

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

LrFinderFall LrFinder::fall() const {
  LrFinderFall found;
  const std::size_t num_start = num_start_points();
  if (points_.size() <= num_start) return found;
  const auto start = std::span(points_).first(num_start);
  double highest = 0;
  for (const LrFinderPoint& point : start) {
    found.start_loss += point.loss / static_cast<double>(num_start);
    highest = std::max(highest, point.smoothed_loss);
  }
  for (const LrFinderPoint& point : start) {
    found.noise += std::pow(point.loss - found.start_loss, 2) / static_cast<double>(num_start - 1);
  }
  found.noise = std::sqrt(found.noise);
  // Behind a blow-up the loss may fall again, to what a broken network guesses: that is no fall.
  const double blown_up = 1.25 * highest;
  found.bottom_idx = num_start;
  for (std::size_t i = num_start; i < points_.size(); ++i) {
    if (points_[i].smoothed_loss > blown_up) break;
    if (points_[i].smoothed_loss < points_[found.bottom_idx].smoothed_loss) found.bottom_idx = i;
  }
  const double bottom = points_[found.bottom_idx].smoothed_loss;
  if (bottom < points_.front().smoothed_loss) found.depth = found.start_loss - bottom;
  return found;
}

std::optional<std::size_t> LrFinder::suggested_point() const {
  const LrFinderFall found = fall();
  if (!found.is_clear()) return std::nullopt;
  const double level = points_[found.bottom_idx].smoothed_loss + kLeftOfFall * found.depth;
  std::size_t last = found.bottom_idx;
  while (last > num_start_points() && points_[last].smoothed_loss < level) --last;
  while (!(points_[last].smoothed_loss < points_.front().smoothed_loss)) ++last;  // the bottom is
  return last;
}

std::size_t LrFinder::num_start_points() const noexcept {
  return std::max<std::size_t>(config_.num_steps / 10, 2);  // two have a deviation
}

}  // namespace penstock::train
