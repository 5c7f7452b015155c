// What one epoch of a run came to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/loop/pass_report.h"
#include "train/metrics/class_report.h"
#include "train/metrics/metric_table.h"

namespace penstock::train {

/// Most classes whose figures, and whose confusion matrix, are told of a validation.
inline constexpr std::size_t kMaxToldClasses = 100;

/// What a validation found of one class.
struct ClassResult {
  std::string name;
  ClassCounts counts = {};
  PrecisionRecall figures = {};
};

/// One epoch, finished or under way; `validation` is set when its pass has ended.
struct EpochReport {
  std::uint32_t epoch_idx = 0;
  std::uint32_t num_epochs = 0;
  PassReport train = {};
  std::optional<PassReport> validation = {};
  /// Steps of the run, this epoch's included; 0 while it is under way, as `metrics` is empty.
  std::uint64_t num_steps = 0;
  /// All that it is measured by: RunMetrics::names() in epoch_metrics.h.
  MetricTable metrics = {};
  /// Of the validation, in the order of the classes; of more than kMaxToldClasses those of lowest F1, the lowest
  /// first.
  std::vector<ClassResult> classes = {};
  /// Of the validation, [label][prediction]; empty for more than kMaxToldClasses.
  std::vector<std::vector<std::uint64_t>> confusion = {};
};

}  // namespace penstock::train
