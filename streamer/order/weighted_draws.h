// Sampling with replacement by a weight per sample.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace penstock {

/// Where in a run a draw is made; it depends on nothing else.
struct DrawPlace {
  std::uint64_t seed = 0;
  std::uint32_t epoch = 0;
  std::uint64_t position = 0;
};

/// Draws sample i with probability weights[i] / (sum of weights); never one of weight 0.
///
/// Method   inversion: the weights stay as they are given, their running sum is kept for every
///          block of kBlockSamples, a guide table finds the block
/// Source   Chen and Asau, On generating random variates from an empirical distribution (AIIE
///          Transactions 6, 1974): the guide table
/// Cost     one Philox block; a search in the guide's bucket, one step on average for weights of
///          like size; half a block of additions
/// Memory   price_bytes(): 4 bytes a sample for the weights, 12 a block
/// Threads  immutable
class WeightedDraws {
 public:
  static constexpr std::uint64_t kBlockSamples = 32;  // two cache lines of weights

  /// `weights` must have passed check_sample_weights().
  explicit WeightedDraws(std::shared_ptr<const std::vector<float>> weights);

  static std::uint64_t price_bytes(std::uint64_t num_samples) noexcept;

  std::uint64_t sample_for(const DrawPlace& place) const noexcept;

 private:
  std::size_t bucket_of(double sum) const noexcept;
  std::uint64_t sample_in_block(std::size_t block, double rest) const noexcept;

  std::shared_ptr<const std::vector<float>> weights_;  // shared with whoever set them
  std::vector<double> block_ends_;                     // running sum of weights after each block
  std::vector<std::uint32_t> guide_;  // by bucket of the sum: first block that may end there
  double buckets_per_weight_ = 0;
};

/// Throws InvalidArgument when there is not one weight for each of `num_samples`, when one is
/// negative or no finite number, or when all are 0.
void check_sample_weights(std::span<const float> weights, std::uint64_t num_samples);

}  // namespace penstock
