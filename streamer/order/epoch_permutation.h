// The order of one epoch as a keyed bijection: a true global shuffle in constant memory.
#pragma once

#include <array>
#include <cstdint>

namespace penstock {

/// Maps positions of an epoch to sample indices, each exactly once.
///
/// Method   Feistel network over the smallest even number of bits that holds num_samples, walking
///          cycles until the value falls below num_samples
/// Source   Black and Rogaway, Ciphers with arbitrary finite domains (CT-RSA 2002), methods 2 and 3
/// Cost     kNumRounds rounds a walk, at most four walks on average; no memory
/// Threads  immutable
class EpochPermutation {
 public:
  struct Key {
    std::uint64_t seed = 0;
    std::uint32_t epoch = 0;
  };

  EpochPermutation(std::uint64_t num_samples, Key key) noexcept;

  /// Returns the sample index at `position`, which must be below num_samples.
  std::uint64_t sample_at(std::uint64_t position) const noexcept;

 private:
  static constexpr int kNumRounds = 8;

  std::uint64_t encrypt(std::uint64_t value) const noexcept;

  std::uint64_t num_samples_;
  unsigned half_bits_;
  std::array<std::uint64_t, kNumRounds> round_keys_;
};

}  // namespace penstock
