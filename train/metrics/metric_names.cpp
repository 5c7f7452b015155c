#include "train/metrics/metric_names.h"

#include <algorithm>
#include <array>

#include "streamer/core/error.h"
#include "streamer/core/nearest_name.h"

namespace penstock::train {
namespace {

using Names = std::vector<std::string>;

constexpr std::array<std::string_view, 6> kLowerIsBetter = {"loss", "nll", "calibration_error",
                                                            "mae",  "mse", "rmse"};
constexpr std::array<std::string_view, 12> kHigherIsBetter = {"accuracy",
                                                              "macro_precision",
                                                              "macro_recall",
                                                              "macro_f1",
                                                              "micro_f1",
                                                              "weighted_precision",
                                                              "weighted_recall",
                                                              "weighted_f1",
                                                              "exact_match",
                                                              "r2",
                                                              "mean_average_precision",
                                                              "roc_auc"};

Names training_names(MetricTask task) {
  switch (task) {
    case MetricTask::kOneClass:
      return {"loss", "accuracy"};
    case MetricTask::kSeveralLabels:
      return {"loss", "exact_match"};
    case MetricTask::kRegression:
      break;
  }
  return {"loss"};
}

Names one_class_names(const MetricSelection& selection) {
  Names names = {"loss", "accuracy"};
  if (selection.top_k < selection.num_outputs) names.push_back(top_k_metric(selection.top_k));
  for (const char* name : {"macro_precision", "macro_recall", "macro_f1", "weighted_precision",
                           "weighted_recall", "weighted_f1", "nll", "calibration_error"}) {
    names.emplace_back(name);
  }
  return names;
}

Names evaluation_names(const MetricSelection& selection) {
  if (selection.task == MetricTask::kOneClass) return one_class_names(selection);
  if (selection.task == MetricTask::kRegression) return {"loss", "mae", "mse", "rmse", "r2"};
  Names names = {"loss", "exact_match", "micro_f1", "macro_precision", "macro_recall", "macro_f1"};
  if (!selection.has_ranking) return names;
  names.emplace_back("mean_average_precision");
  names.emplace_back("roc_auc");
  return names;
}

bool is_top_k(std::string_view metric) {
  return metric.starts_with("top") && metric.ends_with("_accuracy");
}

}  // namespace

std::string metric_name(MetricSplit split, std::string_view metric) {
  switch (split) {
    case MetricSplit::kValidation:
      return "val_" + std::string(metric);
    case MetricSplit::kTest:
      return "test_" + std::string(metric);
    case MetricSplit::kTrain:
      break;
  }
  return std::string(metric);
}

std::string top_k_metric(std::uint32_t top_k) {
  return "top" + std::to_string(top_k) + "_accuracy";
}

MetricDirection metric_direction(std::string_view metric) {
  if (std::ranges::count(kLowerIsBetter, metric) > 0) return MetricDirection::kLowerIsBetter;
  check_internal(is_top_k(metric) || std::ranges::count(kHigherIsBetter, metric) > 0,
                 "a metric without a direction");
  return MetricDirection::kHigherIsBetter;
}

std::vector<MetricName> metric_names(const MetricSelection& selection, MetricSplit split) {
  const Names metrics =
      split == MetricSplit::kTrain ? training_names(selection.task) : evaluation_names(selection);
  std::vector<MetricName> names;
  for (const std::string& metric : metrics) {
    names.push_back({metric_name(split, metric), metric_direction(metric)});
  }
  return names;
}

const MetricName& find_monitor(std::string_view monitor, std::span<const MetricName> names) {
  const auto found = std::ranges::find(names, monitor, &MetricName::name);
  if (found != names.end()) return *found;
  std::vector<std::string_view> known;
  for (const MetricName& one : names) known.push_back(one.name);
  throw Error(ErrorCode::kInvalidArgument,
              "monitor: expected a metric of this run, found '" + std::string(monitor) + "'",
              nearest_name_hint(monitor, known));
}

}  // namespace penstock::train
