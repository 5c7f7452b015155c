// The random values of one sample: a pure function of settings, output size and Philox draws.
// Knows no pixels: the values are known before a sample is read.
#pragma once

#include <cstdint>

#include "augment/affine_map.h"
#include "augment/augment_config.h"
#include "augment/augment_policy.h"
#include "augment/colour/colour_steps.h"
#include "streamer/core/draws.h"
#include "streamer/core/image_view.h"

namespace penstock::augment {

/// The block of DrawPurpose::kSample that each value comes from, in the order in which Keras draws
/// them. Append only: a number once given decides the bytes of old runs.
enum class DrawBlock : std::uint16_t {
  kRotation = 0,        // slot 0
  kHeightShift = 1,     // slot 0
  kWidthShift = 2,      // slot 0
  kShear = 3,           // slot 0
  kZoom = 4,            // slot 0: rows, slot 1: columns
  kHorizontalFlip = 5,  // slot 0
  kVerticalFlip = 6,    // slot 0
  kChannelShift = 7,    // slot 0
  kBrightness = 8,      // slot 0
  kRandomCrop = 9,      // slot 0: rows, slot 1: columns
  kCropPlace = 10,      // slot 0: rows, slot 1: columns
  kCropSides = 11,      // to 20, one for each try; slot 0: area, slot 1: logarithm of the ratio
  kContrast = 21,       // slot 0
  kSaturation = 22,     // slot 0
  kHue = 23,            // slot 0
  kErasing = 24,        // slot 0: whether
  kErasedPlace = 25,    // slot 0: rows, slot 1: columns
  kErasedSides = 26,    // to 35, one for each try; slot 0: area, slot 1: logarithm of the ratio
  kPolicy = 40,  // to 46 (kept: to 79), one for each operation; slot 0: which, slot 1: bin, sign
};

/// What was drawn for one sample.
struct AugmentDraws {
  bool is_flipped = false;             // left and right
  bool is_flipped_vertically = false;  // top and bottom
  double rotation_rad = 0;
  double shear_rad = 0;
  /// Added to the position that is sampled, in pixels of the output; a random crop of the padded
  /// picture is such a shift too.
  PointPx shift_px{};
  /// Above 1 shows more of the scene.
  ScaleXy zoom{};
  /// The window of the upright picture that the output shows, drawn or centred; of width 0 when it is
  /// all of it.
  RectPx crop{};
  double channel_shift = 0;  // in units of the stored pixels
  double brightness = 1;     // a factor
  double contrast = 1;       // a factor
  double saturation = 1;     // a factor
  double hue_turns = 0;      // of the colour wheel
  /// The window of the output that is overwritten; of width 0 when none is.
  RectPx erased{};
  /// Act on the output, after all others.
  PolicySteps policy{};
};

/// Between what a sample's geometry goes: a picture with its orientation applied, and a batch.
struct PictureSides {
  SizePx output{};
  SizePx upright{};
};

/// The colour steps of one sample, in their order: channel shift, brightness, contrast, saturation,
/// hue, and those of the policy. Those that change nothing are left out.
ColourSteps colour_steps_of(const AugmentDraws& drawn) noexcept;

/// Draws the values of one sample. `config` must be valid.
AugmentDraws draw_augmentation(const AugmentConfig& config, const PictureSides& sides,
                               const Draws& draws) noexcept;

/// Tells whether draw_augmentation() draws a colour step, or anything at all, for some sample.
bool draws_colours(const AugmentConfig& config) noexcept;
bool draws_anything(const AugmentConfig& config) noexcept;

/// Returns sides that no window of the picture falls below.
SizePx smallest_crop(const AugmentConfig& config, const PictureSides& sides) noexcept;

}  // namespace penstock::augment
