#include "train/metrics/classification_metrics.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/range_check.h"
#include "train/loss/softmax_row.h"

namespace penstock::train {
namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

// Classes that come before the label when scores are sorted.
std::uint32_t rank_of(std::span<const float> scores, std::uint32_t label) {
  std::uint32_t rank = 0;
  for (std::uint32_t k = 0; k < scores.size(); ++k) {
    const bool is_before = scores[k] > scores[label] || (scores[k] == scores[label] && k < label);
    rank += is_before ? 1 : 0;
  }
  return rank;
}

const ClassificationConfig& checked(const ClassificationConfig& config) {
  config.validate();
  return config;
}

}  // namespace

void ClassificationConfig::validate() const {
  check_range({"metrics", "num_classes", num_classes, 1, 0xFFFFFFFEu});
  check_range({"metrics", "top_k", top_k, 1, 0xFFFFFFFFu, "top_k = 5"});
  check_range({"metrics", "num_worst", num_worst, 0, 100'000, "num_worst = 16"});
}

ClassificationMetrics::ClassificationMetrics(const ClassificationConfig& config)
    : config_(checked(config)),
      confusion_(config.num_classes, config.pairs),
      worst_(config.num_worst) {}

std::uint64_t ClassificationMetrics::bytes_for(const ClassificationConfig& config) {
  return sizeof(ClassificationMetrics) +
         ConfusionMatrix::bytes_for(config.num_classes, config.pairs) +
         WorstMistakes::bytes_for(config.num_worst);
}

void ClassificationMetrics::add(const ClassScores& batch) {
  batch.validate_for(config_.num_classes);
  for (std::size_t n = 0; n < batch.class_idx.size(); ++n) {
    if (batch.counts(n)) add_sample(batch, n);
  }
}

void ClassificationMetrics::add_sample(const ClassScores& batch, std::size_t n) {
  const std::span<const float> scores = batch.row(n, config_.num_classes);
  const std::uint32_t label = batch.class_idx[n];
  const auto best = static_cast<std::uint32_t>(std::ranges::max_element(scores) - scores.begin());
  const auto row = softmax_row<double>(scores);
  const double probability = row.probability(static_cast<double>(scores[best]));
  const double loss = -row.log_probability(static_cast<double>(scores[label]));
  const double weight = static_cast<double>(batch.weight(n));

  confusion_.add({.actual_idx = label, .predicted_idx = best});
  num_in_top_k_ += rank_of(scores, label) < config_.top_k ? 1 : 0;
  calibration_.add({.probability = probability, .is_correct = best == label});
  weighted_nll_sum_ += weight * loss;
  weight_sum_ += weight;
  if (best == label) return;
  worst_.add({.sample_id = batch.sample_ids[n],
              .label_idx = label,
              .predicted_idx = best,
              .predicted_probability = probability,
              .loss = loss});
}

void ClassificationMetrics::merge(const ClassificationMetrics& other) {
  if (other.config_.top_k != config_.top_k) {
    throw Error(ErrorCode::kInvalidArgument, "metrics: merge: expected top_k " +
                                                 std::to_string(config_.top_k) + ", found " +
                                                 std::to_string(other.config_.top_k));
  }
  confusion_.merge(other.confusion_);
  calibration_.merge(other.calibration_);
  worst_.merge(other.worst_);
  num_in_top_k_ += other.num_in_top_k_;
  weighted_nll_sum_ += other.weighted_nll_sum_;
  weight_sum_ += other.weight_sum_;
}

double ClassificationMetrics::accuracy() const {
  if (num_samples() == 0) return kNoNumber;
  return static_cast<double>(confusion_.num_correct()) / static_cast<double>(num_samples());
}

double ClassificationMetrics::top_k_accuracy() const {
  if (num_samples() == 0) return kNoNumber;
  return static_cast<double>(num_in_top_k_) / static_cast<double>(num_samples());
}

double ClassificationMetrics::negative_log_likelihood() const {
  return weight_sum_ > 0 ? weighted_nll_sum_ / weight_sum_ : kNoNumber;
}

}  // namespace penstock::train
