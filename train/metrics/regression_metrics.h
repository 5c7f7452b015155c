// Errors of predicted numbers: of each output and in the mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/metrics/target_scores.h"

namespace penstock::train {

/// Units  mae and rmse those of the target, mse their square, r2 none
struct RegressionFigures {
  double mae = 0;
  double mse = 0;
  double rmse = 0;
  /// Share of the targets' variance that is explained: 1 at best, 0 for always saying the mean, below
  /// for worse. With targets that are all the same 1 when predicted exactly, else 0, as in scikit-learn;
  /// NaN for fewer than two samples.
  double r2 = 0;
};

/// Adds up batches, each sample by its weight.
///
/// Order    sums in double are taken sample by sample, so however batches are cut, the same order of
///          samples gives the same bits; another order, or merging parts, may move the last digits
/// Threads  one caller at a time
/// Source   scikit-learn 1, mean_absolute_error, mean_squared_error, root_mean_squared_error, r2_score
class RegressionMetrics {
 public:
  /// `num_outputs` is 1 or more.
  explicit RegressionMetrics(std::uint32_t num_outputs);

  /// Errors  those of TargetScores::validate_for; the batch is then not counted at all
  void add(const TargetScores& batch);
  /// Throws InvalidArgument for another number of outputs.
  void merge(const RegressionMetrics& other);

  std::uint64_t num_samples() const { return num_samples_; }
  /// All NaN for no samples.
  RegressionFigures output(std::size_t output_idx) const;
  /// Means over the outputs.
  RegressionFigures mean() const;

 private:
  /// Of one output. Mean and squared deviations of the targets are kept up sample by sample, since
  /// differences of sums of squares lose their digits where the mean is far from 0 (West 1979).
  struct Sums {
    double absolute_error = 0;
    double squared_error = 0;
    double target_mean = 0;
    double target_deviation = 0;  // sum of weight * (target - mean)^2
  };

  struct Value {
    double score = 0;
    double target = 0;
    double weight = 1;
  };

  void add_value(Sums& sums, const Value& value) const;
  void merge_sums(Sums& sums, const Sums& other, double other_weight_sum) const;

  std::vector<Sums> outputs_;
  std::uint64_t num_samples_ = 0;
  double weight_sum_ = 0;
};

}  // namespace penstock::train
