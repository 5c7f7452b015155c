// Two runs of values mixed with each other, in place: what mixup does to a pair of samples and to
// their targets. Knows no batch and no draws.
#pragma once

#include <cstddef>

#include "streamer/core/batch.h"

namespace penstock::augment {

/// What each keeps of itself, and what it takes of the other.
struct MixShares {
  float own = 1;
  float other = 0;
};

/// Two runs of as many values of one element type; they do not overlap, and need no alignment.
struct MixedPair {
  std::byte* first = nullptr;
  std::byte* second = nullptr;
  std::size_t num_values = 0;
  ElementType element = ElementType::kFloat32;
};

/// Replaces a, b by own a + other b, own b + other a: in float32, each product rounded, then rounded to
/// the element type. In vectors.
void mix_pair(const MixedPair& pair, const MixShares& shares) noexcept;

/// The same value by value: the scalar twin, equal to the bit.
void mix_pair_scalar(const MixedPair& pair, const MixShares& shares) noexcept;

}  // namespace penstock::augment
