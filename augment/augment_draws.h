// The random values of one sample: a pure function of settings, output size and Philox draws.
// Knows no picture: the values are known before a sample is read.
#pragma once

#include <cstdint>

#include "augment/affine_map.h"
#include "augment/augment_config.h"
#include "streamer/core/draws.h"

namespace penstock::augment {

/// The block of DrawPurpose::kSample that each value comes from, in the order in which Keras draws
/// them. Append only: a number once given decides the bytes of old runs. Blocks 0, 3, 6, 7 and 8
/// are kept for rotation, shear, vertical flip, channel shift and brightness.
enum class DrawBlock : std::uint16_t {
  kHeightShift = 1,     // slot 0
  kWidthShift = 2,      // slot 0
  kZoom = 4,            // slot 0: rows, slot 1: columns
  kHorizontalFlip = 5,  // slot 0
};

/// What was drawn for one sample.
struct AugmentDraws {
  bool is_flipped = false;
  /// Added to the position that is sampled, in pixels of the output.
  PointPx shift_px{};
  /// Above 1 shows more of the scene.
  ScaleXy zoom{};
};

/// Draws the values of one sample for an output of `output` sides. `config` must be valid.
AugmentDraws draw_augmentation(const AugmentConfig& config, SizePx output,
                               const Draws& draws) noexcept;

}  // namespace penstock::augment
