// The logistic function and its logarithm for scores of any size.
#pragma once

#include <algorithm>
#include <cmath>

#include "train/optim/host_device.h"

namespace penstock::train {

/// 1 / (1 + exp(-z)); sigmoid(-z) is 1 - sigmoid(z) without the loss of digits.
template <class T>
PENSTOCK_HOST_DEVICE T sigmoid(T z) {
  const T small = std::exp(-std::abs(z));
  return (z >= 0 ? T{1} : small) / (T{1} + small);
}

/// log(1 + exp(z)) = -log(sigmoid(-z)).
template <class T>
PENSTOCK_HOST_DEVICE T softplus(T z) {
  return std::max(z, T{0}) + std::log1p(std::exp(-std::abs(z)));
}

}  // namespace penstock::train
