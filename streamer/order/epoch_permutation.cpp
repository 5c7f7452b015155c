#include "streamer/order/epoch_permutation.h"

#include <algorithm>
#include <bit>

#include "streamer/core/draws.h"

namespace penstock {
namespace {

// Mixes 64 bits well. Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators
// (OOPSLA 2014), the finaliser of SplitMix64 (variant 13 of Stafford).
std::uint64_t mix(std::uint64_t value) noexcept {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

}  // namespace

EpochPermutation::EpochPermutation(std::uint64_t num_samples, Key key) noexcept
    : num_samples_(num_samples) {
  const auto bits =
      static_cast<unsigned>(std::bit_width(std::max<std::uint64_t>(num_samples, 2) - 1));
  half_bits_ = std::max(1u, (bits + 1) / 2);
  for (int round = 0; round < kNumRounds; ++round) {
    const Draws draws({.seed = key.seed,
                       .epoch = key.epoch,
                       .position = static_cast<std::uint64_t>(round),
                       .purpose = DrawPurpose::kOrder});
    const PhiloxCounter words = draws.block(0);
    round_keys_[round] = static_cast<std::uint64_t>(words[1]) << 32 | words[0];
  }
}

std::uint64_t EpochPermutation::encrypt(std::uint64_t value) const noexcept {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask;
  for (const std::uint64_t key : round_keys_) {
    const std::uint64_t next = left ^ (mix(right ^ key) & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

std::uint64_t EpochPermutation::sample_at(std::uint64_t position) const noexcept {
  // The domain is below four times num_samples, so a walk takes fewer than four steps on average.
  std::uint64_t value = encrypt(position);
  while (value >= num_samples_) value = encrypt(value);
  return value;
}

}  // namespace penstock
