// Which class was taken for which, counted; with very many classes the counts of each class alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/metrics/class_report.h"

namespace penstock::train {

/// A sample's label and what it was taken for.
struct ClassPair {
  std::uint32_t actual_idx = 0;
  std::uint32_t predicted_idx = 0;
};

/// Whether pairs are counted beside the counts of each class.
enum class PairCounts : std::uint8_t {
  kDense,  // up to ConfusionMatrix::kMaxDenseClasses
  kNone,   // for those who look at classes and means only
};

/// Counts pairs of label and prediction. Counts are exact and do not depend on order or batches.
class ConfusionMatrix {
 public:
  /// Beyond so many classes only ClassCounts are kept: the matrix would pass 128 MiB.
  static constexpr std::uint32_t kMaxDenseClasses = 1u << 12;

  /// `num_classes` is 1 or more.
  explicit ConfusionMatrix(std::uint32_t num_classes, PairCounts pairs = PairCounts::kDense);

  /// What it will hold, in bytes.
  static std::uint64_t bytes_for(std::uint32_t num_classes, PairCounts pairs = PairCounts::kDense);

  /// Both classes are below num_classes().
  void add(const ClassPair& pair);
  /// Throws InvalidArgument for another number of classes, and for one that does not count pairs where this
  /// does.
  void merge(const ConfusionMatrix& other);

  std::uint32_t num_classes() const { return static_cast<std::uint32_t>(classes_.size()); }
  bool is_dense() const { return !pairs_.empty(); }
  /// Samples of class `actual_idx` that were taken for `predicted_idx`.
  ///
  /// Errors  InvalidArgument for a class that is not there; Unsupported unless is_dense()
  std::uint64_t count(const ClassPair& pair) const;
  /// All counts, [actual][predicted].
  ///
  /// Errors  Unsupported unless is_dense()
  std::vector<std::vector<std::uint64_t>> rows() const;
  std::span<const ClassCounts> classes() const { return classes_; }
  std::uint64_t num_samples() const { return num_samples_; }
  std::uint64_t num_correct() const { return num_correct_; }

 private:
  std::size_t place_of(const ClassPair& pair) const;
  void check_dense() const;

  std::vector<ClassCounts> classes_;
  std::vector<std::uint64_t> pairs_;  // [actual, predicted]; empty when not dense
  std::uint64_t num_samples_ = 0;
  std::uint64_t num_correct_ = 0;
};

}  // namespace penstock::train
