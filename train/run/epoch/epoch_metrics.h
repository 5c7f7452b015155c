// What the epochs of a run are measured by: names that are known before the first step, values after it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/loop/pass_report.h"
#include "train/loop/trainer.h"
#include "train/metrics/classification_metrics.h"
#include "train/metrics/metric_table.h"
#include "train/run/epoch/epoch_report.h"

namespace penstock::train {

/// What decides which metrics a run has.
struct RunMetrics {
  std::uint32_t num_classes = 0;
  bool has_validation = false;

  /// All of them, in the order of epoch_metrics(): what a monitor may be.
  std::vector<MetricName> names() const;
};

/// Measures the scores of one validation. Single mistakes are not kept; pairs of classes only of up to
/// kMaxToldClasses.
class ValidationScores final : public ScoreObserver {
 public:
  explicit ValidationScores(std::uint32_t num_classes);

  /// What it will hold, in bytes.
  static std::uint64_t bytes_for(std::uint32_t num_classes);

  /// Forgets the validation before.
  void clear();
  /// Errors  InvalidArgument for a score that is not finite
  void on_scores(const ScoredBatch& batch) override;
  const ClassificationMetrics& metrics() const noexcept { return *metrics_; }

 private:
  ClassificationConfig config_;
  std::optional<ClassificationMetrics> metrics_;
};

/// Adds what the training pass of an epoch came to.
void add_training(MetricTable& table, const PassReport& pass);
/// Adds what a validation came to.
void add_validation(MetricTable& table, const PassReport& pass, const ValidationScores& scores);
/// Adds what a validation found of each class, and the confusion matrix. `class_names` are those of all classes.
void add_classes(EpochReport& report, const ValidationScores& scores,
                 std::span<const std::string> class_names);

}  // namespace penstock::train
