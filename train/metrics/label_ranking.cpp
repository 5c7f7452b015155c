#include "train/metrics/label_ranking.h"

#include <cstddef>
#include <limits>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

constexpr std::uint64_t kScoreBytes = sizeof(float) + sizeof(std::uint8_t);

const LabelRankingConfig& checked(const LabelRankingConfig& config) {
  config.validate();
  const std::uint64_t needed = LabelRanking::bytes_for(config);
  if (needed > config.limit_bytes) {
    throw Error(ErrorCode::kOutOfMemory,
                "metrics: average precision and ROC AUC: expected at most " +
                    std::to_string(config.limit_bytes) + " bytes, found " + std::to_string(needed) +
                    " for the scores of " + std::to_string(config.max_samples) + " samples and " +
                    std::to_string(config.num_labels) + " labels",
                "leave them out, or evaluate fewer samples");
  }
  return config;
}

/// Mean of the figures that are there.
class MeanOfKnown {
 public:
  void add(const std::optional<double>& figure) {
    if (!figure) return;
    sum_ += *figure;
    ++count_;
  }
  std::optional<double> mean() const {
    if (count_ == 0) return std::nullopt;
    return sum_ / static_cast<double>(count_);
  }

 private:
  double sum_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace

void LabelRankingConfig::validate() const {
  check_range({"metrics", "num_labels", num_labels, 1, 0xFFFFFFFFu});
  // Pairs of samples are counted in 64 bits.
  check_range({"metrics", "max_samples", max_samples, 1, 0xFFFFFFFFu});
}

LabelRanking::LabelRanking(const LabelRankingConfig& config) : config_(checked(config)) {
  const std::uint64_t num_scores = config.max_samples * config.num_labels;
  scores_.reserve(num_scores);
  positive_.reserve(num_scores);
}

std::uint64_t LabelRanking::bytes_for(const LabelRankingConfig& config) {
  const std::uint64_t sample_bytes = config.num_labels * kScoreBytes + sizeof(RankedScore);
  if (config.max_samples > std::numeric_limits<std::uint64_t>::max() / sample_bytes) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return config.max_samples * sample_bytes;
}

void LabelRanking::check_room(std::uint64_t num_more) const {
  if (num_more <= config_.max_samples - num_samples()) return;
  throw Error(ErrorCode::kInvalidArgument,
              "metrics: ranking: expected at most " + std::to_string(config_.max_samples) +
                  " samples, found " + std::to_string(num_samples() + num_more));
}

void LabelRanking::add(const TargetScores& batch) {
  batch.validate_labels_for(config_.num_labels);
  std::uint64_t num_counted = 0;
  for (std::size_t n = 0; n < batch.sample_ids.size(); ++n) num_counted += batch.counts(n) ? 1 : 0;
  check_room(num_counted);
  for (std::size_t n = 0; n < batch.sample_ids.size(); ++n) {
    if (!batch.counts(n)) continue;
    const std::size_t first = n * config_.num_labels;
    for (std::size_t i = first; i < first + config_.num_labels; ++i) {
      scores_.push_back(batch.scores[i]);
      positive_.push_back(batch.targets[i] != 0.0f ? 1 : 0);
    }
  }
}

void LabelRanking::merge(const LabelRanking& other) {
  if (other.config_.num_labels != config_.num_labels) {
    throw Error(ErrorCode::kInvalidArgument,
                "metrics: merge: expected " + std::to_string(config_.num_labels) +
                    " labels, found " + std::to_string(other.config_.num_labels));
  }
  check_room(other.num_samples());
  scores_.insert(scores_.end(), other.scores_.begin(), other.scores_.end());
  positive_.insert(positive_.end(), other.positive_.begin(), other.positive_.end());
}

RankingReport LabelRanking::report() const {
  RankingReport report;
  MeanOfKnown precision, auc;
  std::vector<RankedScore> column(num_samples());
  for (std::uint32_t k = 0; k < config_.num_labels; ++k) {
    for (std::size_t n = 0; n < column.size(); ++n) {
      const std::size_t place = n * config_.num_labels + k;
      column[n] = {.score = scores_[place], .is_positive = positive_[place] != 0};
    }
    const RankingFigures& figures = report.labels.emplace_back(ranking_figures(column));
    precision.add(figures.average_precision);
    auc.add(figures.roc_auc);
  }
  report.mean_average_precision = precision.mean();
  report.macro_roc_auc = auc.mean();
  return report;
}

}  // namespace penstock::train
