#include "streamer/order/weighted_draws.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "streamer/core/draws.h"
#include "streamer/core/number_text.h"
#include "streamer/core/range_check.h"

namespace penstock {
namespace {

std::uint64_t num_blocks(std::uint64_t num_samples) noexcept {
  return (num_samples + WeightedDraws::kBlockSamples - 1) / WeightedDraws::kBlockSamples;
}

}  // namespace

WeightedDraws::WeightedDraws(std::shared_ptr<const std::vector<float>> weights)
    : weights_(std::move(weights)), block_ends_(num_blocks(weights_->size())) {
  double sum = 0;
  for (std::size_t i = 0; i < weights_->size(); ++i) {
    sum += static_cast<double>((*weights_)[i]);
    block_ends_[i / kBlockSamples] = sum;
  }
  buckets_per_weight_ = static_cast<double>(block_ends_.size()) / sum;
  // One more than there are buckets: the guide of a bucket ends where that of the next begins.
  guide_.resize(block_ends_.size() + 1);
  std::size_t block = 0;
  for (std::size_t bucket = 0; bucket < guide_.size(); ++bucket) {
    while (block + 1 < block_ends_.size() && bucket_of(block_ends_[block]) < bucket) ++block;
    guide_[bucket] = static_cast<std::uint32_t>(block);
  }
}

std::uint64_t WeightedDraws::price_bytes(std::uint64_t num_samples) noexcept {
  return num_samples * sizeof(float) +
         num_blocks(num_samples) * (sizeof(double) + sizeof(std::uint32_t)) + sizeof(std::uint32_t);
}

// Rises with `sum`, whatever the rounding: what the search below relies on.
std::size_t WeightedDraws::bucket_of(double sum) const noexcept {
  return std::min(static_cast<std::size_t>(sum * buckets_per_weight_), block_ends_.size() - 1);
}

std::uint64_t WeightedDraws::sample_for(const DrawPlace& place) const noexcept {
  const Draws draws({.seed = place.seed,
                     .epoch = place.epoch,
                     .position = place.position,
                     .purpose = DrawPurpose::kDraw});
  const double target = draws.uniform(0) * block_ends_.back();
  // The first block that ends above the target. It is not before the first block that ends in the
  // target's bucket, nor after the first that ends in the next.
  const std::size_t bucket = bucket_of(target);
  const auto first = block_ends_.begin() + guide_[bucket];
  const auto last = block_ends_.begin() + guide_[bucket + 1];
  const auto block =
      static_cast<std::size_t>(std::upper_bound(first, last, target) - block_ends_.begin());
  return sample_in_block(block, block == 0 ? target : target - block_ends_[block - 1]);
}

std::uint64_t WeightedDraws::sample_in_block(std::size_t block, double rest) const noexcept {
  const std::size_t begin = block * kBlockSamples;
  const std::size_t end = std::min<std::size_t>(begin + kBlockSamples, weights_->size());
  double sum = 0;
  std::size_t last = begin;  // that can be drawn: where rounding leaves the rest at the whole sum
  for (std::size_t i = begin; i < end; ++i) {
    const float weight = (*weights_)[i];
    sum += static_cast<double>(weight);
    if (rest < sum) return i;
    if (weight > 0.0f) last = i;
  }
  return last;
}

void check_sample_weights(std::span<const float> weights, std::uint64_t num_samples) {
  const auto refuse = [](std::string_view expected, std::string found) {
    refuse_setting({.owner = "loader",
                    .field = "sample_weights",
                    .expected = expected,
                    .found = std::move(found)});
  };
  if (weights.size() != num_samples) {
    refuse(std::to_string(num_samples) + " weights, one for each sample of the split",
           std::to_string(weights.size()));
  }
  bool all_are_zero = true;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0.0f) || std::isinf(weights[i])) {
      refuse("finite numbers of at least 0",
             number_text(weights[i]) + " for sample " + std::to_string(i));
    }
    all_are_zero = all_are_zero && weights[i] == 0.0f;
  }
  if (all_are_zero) refuse("a weight above 0", "none");
}

}  // namespace penstock
