// The slow twin of batch_mix: value by value, in double precision, from a copy of the batch.
// Shares no arithmetic with mix_pair and batch_mix, which it proves.
#pragma once

#include <cstdint>
#include <vector>

#include "augment/mix/mix_draws.h"
#include "streamer/core/batch.h"

namespace penstock::augment {

/// A batch for the twin, its values as doubles.
struct ReferenceBatch {
  BatchSpec spec{};
  std::vector<double> pixels{};   // in the layout of the spec
  std::vector<double> targets{};  // [batch, num_targets]
  std::vector<double> weights{};  // [batch]; empty: 1 each
  /// Places that take part: no padding, no failed sample, none of weight 0, none without a label.
  std::vector<bool> takes_part{};
  std::uint32_t num_valid = 0;
};

/// Returns the batch as `drawn` mixes it.
///
/// Cost  allocates: for tests
ReferenceBatch reference_mix(const ReferenceBatch& batch, const MixDraws& drawn);

}  // namespace penstock::augment
