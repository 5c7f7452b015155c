// The slow twin of the fused pass: one coordinate step after the other, in double precision.
// Shares no arithmetic with affine_map, sampling_plan and warp_kernel, which it proves.
#pragma once

#include <vector>

#include "augment/augment_config.h"
#include "augment/augment_draws.h"
#include "streamer/core/sample_transform.h"

namespace penstock::augment {

/// One sample for the twin.
struct ReferenceSample {
  AugmentConfig config{};
  AugmentDraws drawn{};
  SampleInfo info{};
  BatchSpec spec{};
  /// The whole picture, decoded at 1 / `decode_scale`, with spec.channels channels or one.
  ImageView image{};
  std::uint32_t decode_scale = 1;
};

/// Returns what the slot should hold, in the layout of the spec; not yet rounded to its elements.
///
/// Cost  allocates, and computes pixel by pixel in double precision: for tests
std::vector<double> reference_warp(const ReferenceSample& sample);

}  // namespace penstock::augment
