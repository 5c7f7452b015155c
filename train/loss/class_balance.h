// Class weights that make rare classes count as much as frequent ones.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace penstock::train {

/// Returns n / (k * count) for each class: n samples, k classes that have any. A class without samples
/// gets 0 and is not among the k, so that the weights of all samples average 1.
///
/// Errors  InvalidArgument when no class has samples
/// Source  scikit-learn 1, compute_class_weight("balanced")
std::vector<float> balanced_class_weights(std::span<const std::uint64_t> num_samples_of_class);

}  // namespace penstock::train
