// Which positions of an epoch make which batch on which rank: pure functions, no I/O.
#pragma once

#include <cstdint>

#include "streamer/core/rank.h"

namespace penstock {

/// What cuts an epoch into batches.
struct EpochShape {
  std::uint64_t num_positions = 0;
  std::uint64_t first_position = 0;  // where a resumed epoch goes on, else 0
  std::uint32_t batch = 1;           // samples per batch and rank
  Rank rank = {};
  bool drop_remainder = false;
};

/// Positions [begin, end) of one batch on one rank; empty when a short last batch leaves a rank
/// without samples.
struct PositionRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(end - begin); }
};

/// Batches that every rank delivers; the same number on all ranks.
std::uint64_t num_batches(const EpochShape& shape) noexcept;

/// Batch `batch_idx` of this rank: the ranks' parts of a global batch stand side by side.
PositionRange batch_range(const EpochShape& shape, std::uint64_t batch_idx) noexcept;

/// First position after global batch `batch_idx`, over all ranks.
std::uint64_t position_after(const EpochShape& shape, std::uint64_t batch_idx) noexcept;

}  // namespace penstock
