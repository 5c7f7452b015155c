// Which classes are taken for which others, most often first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "train/metrics/confusion_matrix.h"

namespace penstock::train {

struct ConfusedClasses {
  ClassPair pair;
  std::uint64_t num_samples = 0;  // 1 or more
};

/// Pairs of two classes, at most `limit`, of equal counts in the order of label and prediction; none when the
/// matrix keeps no pairs.
std::vector<ConfusedClasses> most_confused(const ConfusionMatrix& confusion, std::size_t limit);

}  // namespace penstock::train
