#include "train/metrics/metric_table.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

double or_nan(const std::optional<double>& figure) {
  return figure.value_or(std::numeric_limits<double>::quiet_NaN());
}

}  // namespace

void MetricTable::add(MetricSplit split, std::string_view metric, double value) {
  MetricName name{metric_name(split, metric), metric_direction(metric)};
  const bool is_new = std::ranges::none_of(
      values_, [&](const MetricValue& one) { return one.metric.name == name.name; });
  check_internal(is_new, "a metric was added twice");
  values_.push_back({std::move(name), value});
}

const MetricValue& MetricTable::at(std::string_view name) const {
  std::vector<MetricName> names;
  for (const MetricValue& one : values_) names.push_back(one.metric);
  const MetricName& found = find_monitor(name, names);
  return values_[static_cast<std::size_t>(&found - names.data())];
}

void add_metrics(MetricTable& table, MetricSplit split, const ClassificationMetrics& metrics) {
  const ClassReport report = metrics.report();
  const ClassificationConfig& config = metrics.config();
  table.add(split, "accuracy", metrics.accuracy());
  if (config.top_k < config.num_classes) {
    table.add(split, top_k_metric(config.top_k), metrics.top_k_accuracy());
  }
  table.add(split, "macro_precision", report.macro.precision);
  table.add(split, "macro_recall", report.macro.recall);
  table.add(split, "macro_f1", report.macro.f1);
  table.add(split, "weighted_precision", report.weighted.precision);
  table.add(split, "weighted_recall", report.weighted.recall);
  table.add(split, "weighted_f1", report.weighted.f1);
  table.add(split, "nll", metrics.negative_log_likelihood());
  table.add(split, "calibration_error", metrics.calibration().expected_error());
}

void add_metrics(MetricTable& table, MetricSplit split, const LabelCounts& counts) {
  const ClassReport report = counts.report();
  table.add(split, "exact_match", counts.exact_match());
  table.add(split, "micro_f1", report.micro.f1);
  table.add(split, "macro_precision", report.macro.precision);
  table.add(split, "macro_recall", report.macro.recall);
  table.add(split, "macro_f1", report.macro.f1);
}

void add_metrics(MetricTable& table, MetricSplit split, const RankingReport& ranking) {
  table.add(split, "mean_average_precision", or_nan(ranking.mean_average_precision));
  table.add(split, "roc_auc", or_nan(ranking.macro_roc_auc));
}

void add_metrics(MetricTable& table, MetricSplit split, const RegressionMetrics& metrics) {
  const RegressionFigures mean = metrics.mean();
  table.add(split, "mae", mean.mae);
  table.add(split, "mse", mean.mse);
  table.add(split, "rmse", mean.rmse);
  table.add(split, "r2", mean.r2);
}

}  // namespace penstock::train
