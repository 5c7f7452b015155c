// Several labels a sample, measured over all thresholds: mean average precision and ROC AUC, exact. That
// takes every score, so the memory is asked for before the first one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "train/metrics/ranking_curve.h"
#include "train/metrics/target_scores.h"

namespace penstock::train {

struct LabelRankingConfig {
  /// Outputs of the network, 1 or more.
  std::uint32_t num_labels = 0;
  /// Samples that will be added at most, 1 or more: those of the split.
  std::uint64_t max_samples = 0;
  /// What it may hold, in bytes.
  std::uint64_t limit_bytes = 0;

  /// Throws InvalidArgument naming the field, its value and the range.
  void validate() const;
};

struct RankingReport {
  std::vector<RankingFigures> labels;
  /// Means over the labels that have a figure; nothing where none has.
  std::optional<double> mean_average_precision;
  std::optional<double> macro_roc_auc;
};

/// Keeps scores and targets of batches; weights only say which samples count (above 0). The report
/// does not depend on the order of samples or the cutting of batches.
///
/// Threads  one caller at a time
class LabelRanking {
 public:
  /// Errors  InvalidArgument; OutOfMemory naming the bytes when bytes_for() passes limit_bytes
  explicit LabelRanking(const LabelRankingConfig& config);

  /// What it will hold, in bytes: 5 a score (4 and its target), and 8 a sample to sort one label. The
  /// largest number where that would be passed.
  static std::uint64_t bytes_for(const LabelRankingConfig& config);

  /// Errors  those of TargetScores::validate_labels_for, InvalidArgument for more than max_samples;
  ///         the batch is then not counted at all
  void add(const TargetScores& batch);
  /// Takes in what another one kept. Throws InvalidArgument for other labels or too many samples.
  void merge(const LabelRanking& other);

  std::uint64_t num_samples() const { return scores_.size() / config_.num_labels; }
  /// Cost  sorts the scores of each label
  RankingReport report() const;

 private:
  void check_room(std::uint64_t num_more) const;

  LabelRankingConfig config_;
  std::vector<float> scores_;           // [samples, num_labels]
  std::vector<std::uint8_t> positive_;  // the same places, 0 or 1
};

}  // namespace penstock::train
