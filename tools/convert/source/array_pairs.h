// Which arrays of a file are pictures and which their labels, by the names that are usual.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/convert/source/split_rule.h"

namespace penstock::convert {

struct ArrayPair {
  std::string images;
  std::string labels;
  std::optional<SplitKind> split;  // nothing: the names tell none
};

/// Pairs such as x_train and y_train, test_images and test_labels, images and labels, X and Y, data and
/// labels, arr_0 and arr_1 (of numpy.savez() without names), in any case; train, then validation, then
/// test. A single pair is of no split.
std::vector<ArrayPair> find_array_pairs(const std::vector<std::string>& names);

}  // namespace penstock::convert
