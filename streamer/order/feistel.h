// A keyed bijection over any number of values: what every order without replacement is made of.
#pragma once

#include <array>
#include <cstdint>

namespace penstock {

/// Permutes 0 .. size - 1 for any `size`, in constant memory.
///
/// Method   Feistel network over the smallest number of bits that holds size - 1, the halves taking
///          turns where that number is odd, walking cycles until the value falls below `size`
/// Source   Black and Rogaway, Ciphers with arbitrary finite domains (CT-RSA 2002), methods 2 and 3
/// Cost     kNumRounds rounds a walk, fewer than two walks on average; no memory
/// Threads  immutable
class Feistel {
 public:
  /// What an order is drawn for, within one seed and epoch. Append only: a number once given
  /// decides the order of old runs.
  enum class Stream : std::uint8_t { kSamples = 0, kPieces = 1, kWindows = 2 };

  struct Key {
    std::uint64_t seed = 0;
    std::uint32_t epoch = 0;
    Stream stream = Stream::kSamples;
  };

  /// Which values are permuted, and by which of the key's many permutations.
  struct Domain {
    std::uint64_t size = 1;
    std::uint64_t tweak = 0;
  };

  explicit Feistel(Key key) noexcept;

  /// Returns where `value`, which must be below domain.size, goes.
  std::uint64_t permute(std::uint64_t value, Domain domain) const noexcept;

 private:
  static constexpr int kNumRounds = 8;

  std::array<std::uint64_t, kNumRounds> round_keys_;
};

}  // namespace penstock
