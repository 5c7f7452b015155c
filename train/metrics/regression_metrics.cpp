#include "train/metrics/regression_metrics.h"

#include <cmath>
#include <limits>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

double explained_share(double squared_error, double target_deviation) {
  if (target_deviation > 0) return 1.0 - squared_error / target_deviation;
  return squared_error > 0 ? 0.0 : 1.0;
}

}  // namespace

RegressionMetrics::RegressionMetrics(std::uint32_t num_outputs) : outputs_(num_outputs) {
  check_range({"metrics", "num_outputs", num_outputs, 1, 0xFFFFFFFFu});
}

void RegressionMetrics::add(const TargetScores& batch) {
  batch.validate_for(static_cast<std::uint32_t>(outputs_.size()));
  for (std::size_t n = 0; n < batch.sample_ids.size(); ++n) {
    if (!batch.counts(n)) continue;
    const double weight = static_cast<double>(batch.weight(n));
    ++num_samples_;
    weight_sum_ += weight;
    for (std::size_t k = 0; k < outputs_.size(); ++k) {
      const std::size_t place = n * outputs_.size() + k;
      add_value(outputs_[k], {.score = static_cast<double>(batch.scores[place]),
                              .target = static_cast<double>(batch.targets[place]),
                              .weight = weight});
    }
  }
}

// weight_sum_ includes this sample already.
void RegressionMetrics::add_value(Sums& sums, const Value& value) const {
  const double error = value.score - value.target;
  sums.absolute_error += value.weight * std::abs(error);
  sums.squared_error += value.weight * error * error;
  const double from_old_mean = value.target - sums.target_mean;
  sums.target_mean += from_old_mean * value.weight / weight_sum_;
  sums.target_deviation += value.weight * from_old_mean * (value.target - sums.target_mean);
}

// Chan, Golub, LeVeque 1979, Updating Formulae and a Pairwise Algorithm, eq. 2.1, with weights.
void RegressionMetrics::merge_sums(Sums& sums, const Sums& other, double other_weight_sum) const {
  sums.absolute_error += other.absolute_error;
  sums.squared_error += other.squared_error;
  const double total = weight_sum_ + other_weight_sum;
  const double distance = other.target_mean - sums.target_mean;
  sums.target_deviation +=
      other.target_deviation + distance * distance * weight_sum_ * other_weight_sum / total;
  sums.target_mean += distance * other_weight_sum / total;
}

void RegressionMetrics::merge(const RegressionMetrics& other) {
  if (other.outputs_.size() != outputs_.size()) {
    throw Error(ErrorCode::kInvalidArgument,
                "metrics: merge: expected " + std::to_string(outputs_.size()) + " outputs, found " +
                    std::to_string(other.outputs_.size()));
  }
  if (other.num_samples_ == 0) return;
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    merge_sums(outputs_[k], other.outputs_[k], other.weight_sum_);
  }
  num_samples_ += other.num_samples_;
  weight_sum_ += other.weight_sum_;
}

RegressionFigures RegressionMetrics::output(std::size_t output_idx) const {
  if (num_samples_ == 0) return {kNoNumber, kNoNumber, kNoNumber, kNoNumber};
  const Sums& sums = outputs_.at(output_idx);
  const double mse = sums.squared_error / weight_sum_;
  return {.mae = sums.absolute_error / weight_sum_,
          .mse = mse,
          .rmse = std::sqrt(mse),
          .r2 = num_samples_ < 2 ? kNoNumber
                                 : explained_share(sums.squared_error, sums.target_deviation)};
}

RegressionFigures RegressionMetrics::mean() const {
  RegressionFigures sum;
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const RegressionFigures one = output(k);
    sum.mae += one.mae;
    sum.mse += one.mse;
    sum.rmse += one.rmse;
    sum.r2 += one.r2;
  }
  const double num = static_cast<double>(outputs_.size());
  return {sum.mae / num, sum.mse / num, sum.rmse / num, sum.r2 / num};
}

}  // namespace penstock::train
