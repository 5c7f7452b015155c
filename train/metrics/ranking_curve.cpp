#include "train/metrics/ranking_curve.h"

#include <algorithm>
#include <cstddef>

#include "train/loss/sigmoid.h"

namespace penstock::train {
namespace {

/// Samples at or above a threshold.
struct Above {
  std::uint64_t num_positive = 0;
  std::uint64_t num_negative = 0;
  std::uint64_t num_samples() const { return num_positive + num_negative; }
};

/// Takes in the samples from `first` on that share its score; returns the one after them.
std::size_t take_equal(std::span<const RankedScore> scores, std::size_t first, Above& above) {
  std::size_t next = first;
  while (next < scores.size() && scores[next].score == scores[first].score) {
    ++(scores[next].is_positive ? above.num_positive : above.num_negative);
    ++next;
  }
  return next;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

RankingFigures ranking_figures(std::span<RankedScore> scores) {
  std::ranges::sort(scores,
                    [](const RankedScore& a, const RankedScore& b) { return a.score > b.score; });
  RankingFigures figures;
  figures.num_positive =
      static_cast<std::uint64_t>(std::ranges::count(scores, true, &RankedScore::is_positive));
  figures.num_negative = scores.size() - figures.num_positive;

  Above above;
  double precision_sum = 0;        // each positive adds the precision at its score
  std::uint64_t half_ordered = 0;  // pairs in the right order twice, tied ones once
  BestThreshold best;
  for (std::size_t i = 0; i < scores.size();) {
    const Above before = above;
    const float score = scores[i].score;
    i = take_equal(scores, i, above);
    const std::uint64_t new_positive = above.num_positive - before.num_positive;
    const std::uint64_t new_negative = above.num_negative - before.num_negative;
    precision_sum +=
        static_cast<double>(new_positive) * share(above.num_positive, above.num_samples());
    half_ordered += new_negative * (2 * before.num_positive + new_positive);
    const double f1 = share(2 * above.num_positive, above.num_samples() + figures.num_positive);
    if (f1 > best.f1) best = {.score = score, .f1 = f1};
  }
  if (figures.num_positive == 0) return figures;
  figures.average_precision = precision_sum / static_cast<double>(figures.num_positive);
  best.probability = sigmoid(static_cast<double>(best.score));
  figures.best_threshold = best;
  if (figures.num_negative == 0) return figures;
  figures.roc_auc = share(half_ordered, 2 * figures.num_positive * figures.num_negative);
  return figures;
}

}  // namespace penstock::train
