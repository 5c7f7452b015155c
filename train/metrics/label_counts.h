// Several labels a sample, decided at a threshold: right and wrong decisions, counted. Needs a few
// numbers a label, whatever the number of samples.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/metrics/class_report.h"
#include "train/metrics/target_scores.h"

namespace penstock::train {

/// The score (logit) at which a sigmoid gives `probability`, above 0 and below 1.
float score_at_probability(double probability);

struct LabelCountsConfig {
  /// Outputs of the network, 1 or more.
  std::uint32_t num_labels = 0;
  /// A label is predicted when its score is at this or above: one for each label, one for all, or none
  /// for 0, which is a probability of 0.5.
  std::vector<float> score_thresholds = {};

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

/// Adds up batches; weights only say which samples count (above 0). All counts are exact: order and
/// cutting do not matter.
///
/// Threads  one caller at a time
class LabelCounts {
 public:
  explicit LabelCounts(const LabelCountsConfig& config);

  /// Errors  those of TargetScores::validate_labels_for; the batch is then not counted at all
  void add(const TargetScores& batch);
  /// Throws InvalidArgument for another number of labels.
  void merge(const LabelCounts& other);

  std::uint64_t num_samples() const { return num_samples_; }
  /// Macro means are over all labels.
  ClassReport report() const { return make_class_report(labels_, MacroMean::kAll); }
  std::span<const ClassCounts> labels() const { return labels_; }
  /// Share of samples whose every label is right; NaN for no samples.
  double exact_match() const;

 private:
  bool add_sample(std::span<const float> scores, std::span<const float> targets);

  LabelCountsConfig config_;
  std::vector<ClassCounts> labels_;
  std::uint64_t num_samples_ = 0;
  std::uint64_t num_exact_ = 0;
};

}  // namespace penstock::train
