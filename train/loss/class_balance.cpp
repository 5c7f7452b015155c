#include "train/loss/class_balance.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "streamer/core/error.h"

namespace penstock::train {

std::vector<float> balanced_class_weights(std::span<const std::uint64_t> num_samples_of_class) {
  const std::uint64_t num_samples =
      std::accumulate(num_samples_of_class.begin(), num_samples_of_class.end(), std::uint64_t{0});
  if (num_samples == 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "class_weights: balanced: expected samples with labels, found none",
                "leave class_weights out");
  }
  const auto num_empty = std::ranges::count(num_samples_of_class, std::uint64_t{0});
  const double num_classes =
      static_cast<double>(num_samples_of_class.size() - static_cast<std::size_t>(num_empty));
  std::vector<float> weights;
  weights.reserve(num_samples_of_class.size());
  for (const std::uint64_t count : num_samples_of_class) {
    const double weight =
        count == 0 ? 0.0
                   : static_cast<double>(num_samples) / (num_classes * static_cast<double>(count));
    weights.push_back(static_cast<float>(weight));
  }
  return weights;
}

}  // namespace penstock::train
