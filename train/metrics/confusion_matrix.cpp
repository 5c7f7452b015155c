#include "train/metrics/confusion_matrix.h"

#include <cstddef>
#include <string>

#include "streamer/core/error.h"
#include "streamer/core/range_check.h"

namespace penstock::train {
namespace {

std::size_t num_pairs(std::uint32_t num_classes, PairCounts pairs) {
  if (pairs == PairCounts::kNone || num_classes > ConfusionMatrix::kMaxDenseClasses) return 0;
  return std::size_t{num_classes} * num_classes;
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::uint32_t num_classes, PairCounts pairs)
    : classes_(num_classes), pairs_(num_pairs(num_classes, pairs)) {
  check_range({"metrics", "num_classes", num_classes, 1, 0xFFFFFFFEu});
}

std::uint64_t ConfusionMatrix::bytes_for(std::uint32_t num_classes, PairCounts pairs) {
  return std::uint64_t{num_classes} * sizeof(ClassCounts) +
         num_pairs(num_classes, pairs) * sizeof(std::uint64_t);
}

std::size_t ConfusionMatrix::place_of(const ClassPair& pair) const {
  return pair.actual_idx * classes_.size() + pair.predicted_idx;
}

void ConfusionMatrix::add(const ClassPair& pair) {
  const bool is_right = pair.actual_idx == pair.predicted_idx;
  ++classes_[pair.actual_idx].num_actual;
  ++classes_[pair.predicted_idx].num_predicted;
  classes_[pair.actual_idx].num_correct += is_right ? 1 : 0;
  ++num_samples_;
  num_correct_ += is_right ? 1 : 0;
  if (is_dense()) ++pairs_[place_of(pair)];
}

void ConfusionMatrix::merge(const ConfusionMatrix& other) {
  if (other.num_classes() != num_classes()) {
    throw Error(ErrorCode::kInvalidArgument,
                "metrics: merge: expected " + std::to_string(num_classes()) + " classes, found " +
                    std::to_string(other.num_classes()));
  }
  if (is_dense() && !other.is_dense()) {
    throw Error(ErrorCode::kInvalidArgument,
                "metrics: merge: expected a confusion matrix with pairs, found one without");
  }
  for (std::size_t k = 0; k < classes_.size(); ++k) classes_[k].merge(other.classes_[k]);
  for (std::size_t i = 0; i < pairs_.size(); ++i) pairs_[i] += other.pairs_[i];
  num_samples_ += other.num_samples_;
  num_correct_ += other.num_correct_;
}

void ConfusionMatrix::check_dense() const {
  if (is_dense()) return;
  throw Error(ErrorCode::kUnsupported,
              "metrics: confusion matrix: expected one with pairs, of at most " +
                  std::to_string(kMaxDenseClasses) + " classes, found none of " +
                  std::to_string(num_classes()));
}

std::uint64_t ConfusionMatrix::count(const ClassPair& pair) const {
  check_range({"metrics", "actual_idx", pair.actual_idx, 0, num_classes() - 1u});
  check_range({"metrics", "predicted_idx", pair.predicted_idx, 0, num_classes() - 1u});
  check_dense();
  return pairs_[place_of(pair)];
}

std::vector<std::vector<std::uint64_t>> ConfusionMatrix::rows() const {
  check_dense();
  std::vector<std::vector<std::uint64_t>> rows;
  for (std::size_t k = 0; k < classes_.size(); ++k) {
    const auto begin = pairs_.begin() + static_cast<std::ptrdiff_t>(k * classes_.size());
    rows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(classes_.size()));
  }
  return rows;
}

}  // namespace penstock::train
