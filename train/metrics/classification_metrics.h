// Everything that is measured where a sample has one class, in one pass over the scores.
#pragma once

#include <cstdint>

#include "train/metrics/calibration.h"
#include "train/metrics/class_report.h"
#include "train/metrics/class_scores.h"
#include "train/metrics/confusion_matrix.h"
#include "train/metrics/worst_mistakes.h"

namespace penstock::train {

struct ClassificationConfig {
  /// Outputs of the network, 1 or more.
  std::uint32_t num_classes = 0;
  /// A label among the k highest scores counts as found, 1 or more; from num_classes on it always does.
  std::uint32_t top_k = 5;
  /// Mistakes to keep, 0 to 100,000.
  std::uint32_t num_worst = 16;
  /// Whether the confusion matrix has its pairs: 8 bytes for each.
  PairCounts pairs = PairCounts::kDense;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// Adds up batches. A sample counts when it has a label and a weight above 0; then it counts once, and
/// the weight enters the mean of the negative log likelihood only.
///
/// Of equal scores the class of the lower index comes first.
/// Order    counts are exact; sums in double are taken sample by sample, so however batches are cut,
///          the same order of samples gives the same bits. Another order, or merging parts, may move
///          the last digits of calibration and likelihood.
/// Threads  one caller at a time
class ClassificationMetrics {
 public:
  explicit ClassificationMetrics(const ClassificationConfig& config);

  /// What it will hold, in bytes.
  static std::uint64_t bytes_for(const ClassificationConfig& config);

  /// Errors  those of ClassScores::validate_for; the batch is then not counted at all
  void add(const ClassScores& batch);
  /// Adds what another one counted. Throws InvalidArgument when it had other classes or another k.
  void merge(const ClassificationMetrics& other);

  const ClassificationConfig& config() const { return config_; }
  std::uint64_t num_samples() const { return confusion_.num_samples(); }
  /// Share of samples whose label has the highest score; NaN for no samples, as the next two.
  double accuracy() const;
  double top_k_accuracy() const;
  /// Mean of -log of the label's probability, in nats, each sample weighing its weight.
  double negative_log_likelihood() const;
  ClassReport report() const {
    return make_class_report(confusion_.classes(), MacroMean::kOccurring);
  }
  const ConfusionMatrix& confusion() const { return confusion_; }
  const Calibration& calibration() const { return calibration_; }
  const WorstMistakes& worst() const { return worst_; }

 private:
  void add_sample(const ClassScores& batch, std::size_t n);

  ClassificationConfig config_;
  ConfusionMatrix confusion_;
  Calibration calibration_;
  WorstMistakes worst_;
  std::uint64_t num_in_top_k_ = 0;
  double weighted_nll_sum_ = 0;
  double weight_sum_ = 0;
};

}  // namespace penstock::train
