#include "train/metrics/label_counts.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

const LabelCountsConfig& checked(const LabelCountsConfig& config) {
  config.validate();
  return config;
}

float threshold_of(std::span<const float> thresholds, std::size_t label_idx) {
  if (thresholds.empty()) return 0.0f;
  return thresholds.size() == 1 ? thresholds.front() : thresholds[label_idx];
}

}  // namespace

float score_at_probability(double probability) {
  if (!(probability > 0 && probability < 1)) {
    refuse_setting({"metrics", "threshold", "above 0 and below 1", number_text(probability),
                    "threshold = 0.5"});
  }
  return static_cast<float>(std::log(probability) - std::log1p(-probability));
}

void LabelCountsConfig::validate() const {
  check_range({"metrics", "num_labels", num_labels, 1, 0xFFFFFFFFu});
  if (score_thresholds.size() > 1 && score_thresholds.size() != num_labels) {
    refuse_setting({"metrics", "score_thresholds",
                    "one value or " + std::to_string(num_labels) + ", one for each label",
                    std::to_string(score_thresholds.size())});
  }
  for (const float threshold : score_thresholds) {
    if (!std::isnan(threshold)) continue;
    refuse_setting({"metrics", "score_thresholds", "numbers", "nan"});
  }
}

LabelCounts::LabelCounts(const LabelCountsConfig& config)
    : config_(checked(config)), labels_(config.num_labels) {}

void LabelCounts::add(const TargetScores& batch) {
  batch.validate_labels_for(config_.num_labels);
  for (std::size_t n = 0; n < batch.sample_ids.size(); ++n) {
    if (!batch.counts(n)) continue;
    const std::size_t first = n * config_.num_labels;
    const bool is_exact = add_sample(batch.scores.subspan(first, config_.num_labels),
                                     batch.targets.subspan(first, config_.num_labels));
    ++num_samples_;
    num_exact_ += is_exact ? 1 : 0;
  }
}

bool LabelCounts::add_sample(std::span<const float> scores, std::span<const float> targets) {
  bool is_exact = true;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    const bool is_predicted = scores[k] >= threshold_of(config_.score_thresholds, k);
    const bool is_actual = targets[k] != 0.0f;
    labels_[k].num_predicted += is_predicted ? 1 : 0;
    labels_[k].num_actual += is_actual ? 1 : 0;
    labels_[k].num_correct += is_predicted && is_actual ? 1 : 0;
    is_exact = is_exact && is_predicted == is_actual;
  }
  return is_exact;
}

void LabelCounts::merge(const LabelCounts& other) {
  if (other.labels_.size() != labels_.size()) {
    throw Error(ErrorCode::kInvalidArgument,
                "metrics: merge: expected " + std::to_string(labels_.size()) + " labels, found " +
                    std::to_string(other.labels_.size()));
  }
  for (std::size_t k = 0; k < labels_.size(); ++k) labels_[k].merge(other.labels_[k]);
  num_samples_ += other.num_samples_;
  num_exact_ += other.num_exact_;
}

double LabelCounts::exact_match() const {
  if (num_samples_ == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(num_exact_) / static_cast<double>(num_samples_);
}

}  // namespace penstock::train
