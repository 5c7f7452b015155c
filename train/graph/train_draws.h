// Which Philox draws training uses: initial weights and dropout. Pure functions, the same for every
// backend; the two never share a counter, since only initial weights have the top epoch bit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "streamer/core/draws.h"

namespace penstock::train {

/// Values of one sample that one dropout layer can cover: 2^18 words of one epoch word, times 2^10.
inline constexpr std::size_t kMaxDropoutElements = std::size_t{1} << 28;
/// Samples of a step in which dropout draws for each: 24 bits of a position.
inline constexpr std::uint32_t kMaxDropoutSamples = 1u << 24;
/// Nodes of a graph, bounded so that a node fits the dropout counter beside the block's high bits.
inline constexpr std::uint32_t kMaxNodes = 1u << 20;

/// Returns four words, for elements 4 * quad_idx to 4 * quad_idx + 3 (canonical order) of a sample.
///
/// Counter  position = step << 24 | sample in the step; epoch = node << 10 | high bits of the
/// quad;
///          block = low 16 bits of the quad
constexpr PhiloxCounter dropout_words(std::uint64_t seed, std::uint64_t step,
                                      std::uint32_t sample_idx, std::uint32_t node,
                                      std::size_t quad_idx) noexcept {
  const Draws draws({.seed = seed,
                     .epoch = node << 10 | static_cast<std::uint32_t>(quad_idx >> 16),
                     .position = step << 24 | sample_idx,
                     .purpose = DrawPurpose::kTrain});
  return draws.block(static_cast<std::uint16_t>(quad_idx & 0xFFFFu));
}

/// A value is kept when its word is at least this; 0 <= rate < 1.
inline std::uint32_t dropout_threshold(double rate) noexcept {
  return static_cast<std::uint32_t>(std::min(std::floor(rate * 0x1p32), 0x1p32 - 1));
}

/// Draws for element `element_idx` of the initial value of parameter `param_idx`.
constexpr Draws initial_draws(std::uint64_t seed, std::uint32_t param_idx,
                              std::uint64_t element_idx) noexcept {
  return Draws({.seed = seed,
                .epoch = 0x80000000u | param_idx,
                .position = element_idx,
                .purpose = DrawPurpose::kTrain});
}

}  // namespace penstock::train
