// What is decided for a sample before its pixels are there: the same whoever makes them, this machine's
// cores or a device. Knows settings and draws; knows no pixels.
#pragma once

#include <array>

#include "augment/affine_map.h"
#include "augment/augment_config.h"
#include "augment/channel_scale.h"
#include "augment/colour/colour_steps.h"
#include "streamer/core/draws.h"
#include "streamer/core/sample_transform.h"

namespace penstock::augment {

/// What a transform keeps of a plan. The map is kept at full resolution, so that a decoder may answer at
/// another scale than was asked for.
struct PlannedSample {
  AffineMap map;  // output pixels -> stored pixels
  SizePx stored;
  ColourSteps colours;
  RectPx erased;
};

/// Draws a sample and composes its map. `config` must be valid.
PlannedSample plan_sample(const AugmentConfig& config, const SampleInfo& info,
                          const BatchSpec& spec, const Draws& draws) noexcept;

/// What the decoder is asked for such a sample; without scratch.
SamplePlan decode_plan(const AugmentConfig& config, const PlannedSample& planned,
                       const SampleInfo& info, const BatchSpec& spec) noexcept;

/// The normalisation of red, green, blue as gain and bias.
std::array<ChannelScale, 3> channel_scales(const AugmentConfig& config) noexcept;

}  // namespace penstock::augment
