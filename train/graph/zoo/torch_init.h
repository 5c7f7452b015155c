// Initial weights in which PyTorch has no name of its own for the rule.
#pragma once

#include <cmath>

#include "train/graph/initializer.h"

namespace penstock::train {

/// Even between -limit and limit: variance limit^2 / 3.
inline WeightInit even_init(double limit) {
  return {.rule = InitRule::kUniform, .deviation = limit / std::sqrt(3.0)};
}

/// What nn.Conv2d and nn.Linear do unasked: kaiming_uniform_(a = sqrt(5)), which is even within
/// 1 / sqrt(fan in).
///
/// Source  torch/nn/modules/conv.py and linear.py, reset_parameters
inline WeightInit torch_default_init(double fan_in) {
  return even_init(1 / std::sqrt(fan_in));
}

}  // namespace penstock::train
