// Softmax of one sample's scores, kept as two numbers: enough for every class's probability and its
// logarithm without a buffer.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "train/optim/host_device.h"

namespace penstock::train {

/// Of a row z: log softmax(z)[k] = (z[k] - largest) - log_tail.
///
/// Both differences are exact or small, so a score of 1e4 costs no digits, as it would in
/// z[k] - log_sum_exp(z).
template <class T>
struct SoftmaxRow {
  T largest{};
  T log_tail{};  // log of the sum of exp(z - largest), 0 or more

  PENSTOCK_HOST_DEVICE T log_probability(T score) const { return (score - largest) - log_tail; }
  PENSTOCK_HOST_DEVICE T probability(T score) const { return std::exp(log_probability(score)); }
};

/// `others` is the sum of exp(z - largest) over all scores but the largest. That one adds exp(0); log1p keeps
/// what the others add where it is below one rounding of 1.
template <class T>
PENSTOCK_HOST_DEVICE SoftmaxRow<T> softmax_row_of(T largest, T others) {
  return {largest, std::log1p(others)};
}

/// `scores` holds one value or more; T is the type of the arithmetic.
template <class T, class Score>
SoftmaxRow<T> softmax_row(std::span<const Score> scores) {
  const std::size_t best = std::ranges::max_element(scores) - scores.begin();
  const T largest = static_cast<T>(scores[best]);
  T others{0};
  for (std::size_t k = 0; k < scores.size(); ++k) {
    if (k != best) others += std::exp(static_cast<T>(scores[k]) - largest);
  }
  return softmax_row_of(largest, others);
}

}  // namespace penstock::train
