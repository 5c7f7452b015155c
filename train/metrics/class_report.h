// Precision, recall and F1 from counts: of each class and over all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace penstock::train {

/// How often a class was there, was predicted, and both.
struct ClassCounts {
  std::uint64_t num_actual = 0;
  std::uint64_t num_predicted = 0;
  std::uint64_t num_correct = 0;

  void merge(const ClassCounts& other);
};

/// Shares from 0 to 1. What would be 0 / 0 is 0, as with scikit-learn's zero_division=0.
struct PrecisionRecall {
  double precision = 0;  // of what was predicted, right
  double recall = 0;     // of what was there, found
  double f1 = 0;         // 2 correct / (actual + predicted)
};

PrecisionRecall precision_recall(const ClassCounts& counts);

/// Which classes a macro mean is over.
enum class MacroMean : std::uint8_t {
  kOccurring,  // those that are labels or predictions (scikit-learn with one class a sample)
  kAll,        // all; one that never occurs is a 0 (scikit-learn with several labels)
};

struct ClassReport {
  std::vector<PrecisionRecall> classes;
  PrecisionRecall macro;     // mean over classes; F1 is the mean of F1s; 0 when there are none
  PrecisionRecall weighted;  // the same, each class weighing its num_actual
  PrecisionRecall micro;     // of the sums of the counts
};

/// Source  scikit-learn 1, precision_recall_fscore_support
ClassReport make_class_report(std::span<const ClassCounts> counts, MacroMean macro);

/// Indices of the classes of lowest F1, the lowest first, at most so many. What is neither label nor prediction is
/// not among them.
std::vector<std::uint32_t> lowest_f1_classes(std::span<const ClassCounts> counts,
                                             std::size_t num_most);

}  // namespace penstock::train
