// What an epoch or an evaluation came to, as one list of names and values: for terminal, files, early
// stopping.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/metrics/classification_metrics.h"
#include "train/metrics/label_counts.h"
#include "train/metrics/label_ranking.h"
#include "train/metrics/metric_names.h"
#include "train/metrics/regression_metrics.h"

namespace penstock::train {

struct MetricValue {
  MetricName metric;
  /// NaN where there is nothing to measure it on.
  double value = 0;
};

/// Values in the order in which they were added, each name once.
class MetricTable {
 public:
  /// `metric` without its split: "loss". Throws Internal for a name that is there, or not known.
  void add(MetricSplit split, std::string_view metric, double value);

  std::span<const MetricValue> values() const { return values_; }
  /// By its whole name: "val_loss". Throws InvalidArgument with the nearest name.
  const MetricValue& at(std::string_view name) const;

 private:
  std::vector<MetricValue> values_;
};

/// Add what was measured, in the order of metric_names() but for the loss, which comes first and is the
/// caller's.
void add_metrics(MetricTable& table, MetricSplit split, const ClassificationMetrics& metrics);
void add_metrics(MetricTable& table, MetricSplit split, const LabelCounts& counts);
void add_metrics(MetricTable& table, MetricSplit split, const RankingReport& ranking);
void add_metrics(MetricTable& table, MetricSplit split, const RegressionMetrics& metrics);

}  // namespace penstock::train
