// What can be said of one label from its scores in order, without a threshold: average precision, area
// under the ROC curve, and the threshold that would be best.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace penstock::train {

/// One sample's score for the label, and whether it has it.
struct RankedScore {
  float score = 0;
  bool is_positive = false;
};

/// The threshold of highest F1, the highest one when tied.
struct BestThreshold {
  float score = 0;         // predicted when at this or above; always the score of some sample
  double probability = 0;  // its sigmoid, for people
  double f1 = 0;
};

struct RankingFigures {
  std::uint64_t num_positive = 0;
  std::uint64_t num_negative = 0;
  /// Nothing without positives.
  std::optional<double> average_precision;
  std::optional<BestThreshold> best_threshold;
  /// Nothing unless there are positives and negatives.
  std::optional<double> roc_auc;
};

/// Sorts `scores` and walks down them; equal scores are one step, so their order does not matter.
///
/// Source  scikit-learn 1, average_precision_score (sum of (R_n - R_(n-1)) P_n, no interpolation) and
///         roc_auc_score; thresholds as precision_recall_curve has them
RankingFigures ranking_figures(std::span<RankedScore> scores);

}  // namespace penstock::train
