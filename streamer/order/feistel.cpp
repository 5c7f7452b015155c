#include "streamer/order/feistel.h"

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

Feistel::Feistel(Key key) noexcept {
  for (int round = 0; round < kNumRounds; ++round) {
    const auto stream = static_cast<std::uint64_t>(key.stream);
    const Draws draws({.seed = key.seed,
                       .epoch = key.epoch,
                       .position = stream * kNumRounds + static_cast<std::uint64_t>(round),
                       .purpose = DrawPurpose::kOrder});
    const PhiloxCounter words = draws.block(0);
    round_keys_[round] = static_cast<std::uint64_t>(words[1]) << 32 | words[0];
  }
}

std::uint64_t Feistel::permute(std::uint64_t value, Domain domain) const noexcept {
  const auto bits = std::max(
      2u, static_cast<unsigned>(std::bit_width(std::max(domain.size, std::uint64_t{1}) - 1)));
  // The value is left << right_bits | right. Each round the halves change places, and with an odd
  // number of bits their widths too; after an even number of rounds both stand as before.
  const unsigned right_bits = (bits + 1) / 2;
  const std::uint64_t wide = (std::uint64_t{1} << right_bits) - 1;
  const std::uint64_t narrow = (std::uint64_t{1} << (bits - right_bits)) - 1;
  const std::uint64_t tweak = domain.tweak == 0 ? 0 : mix(domain.tweak);
  do {
    std::uint64_t left = value >> right_bits;
    std::uint64_t right = value & wide;
    for (int round = 0; round < kNumRounds; round += 2) {
      left ^= mix(right ^ round_keys_[round] ^ tweak) & narrow;
      right ^= mix(left ^ round_keys_[round + 1] ^ tweak) & wide;
    }
    value = left << right_bits | right;
  } while (value >= domain.size);
  return value;
}

}  // namespace penstock
