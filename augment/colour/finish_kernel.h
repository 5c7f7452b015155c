// The last pass: from a canvas into the slot. What is left of the colour steps, normalisation, element
// type and layout. Knows no settings and no draws.
#pragma once

#include <array>

#include "augment/channel_scale.h"
#include "augment/colour/colour_canvas.h"
#include "augment/colour/colour_pass.h"
#include "augment/colour/fixed_canvas.h"
#include "streamer/core/sample_transform.h"

namespace penstock::augment {

/// One canvas on its way into one slot of as many channels and the same sides.
struct FinishJob {
  Canvas canvas{};
  /// Where the pixels are instead of on the canvas, unless it has no values. The tail has a hue then, and
  /// FixedTail holds its matrix.
  FixedCanvas fixed{};
  /// What apply_colour_steps() left.
  ColourTail tail{};
  std::array<ChannelScale, 3> channels{};
  SampleSlot slot{};
};

/// Writes every element of the slot: float32, float16 and bfloat16 (rounded to the nearest, halves to
/// even) or uint8 (likewise, held within 0 to 255).
///
/// A matrix at the end of the tail and the normalisation become one: its rows, and the clamp to 0 to
/// 255, are normalised.
///
/// Threads  pure; allocates nothing; the stack holds a block of 12 KiB
void finish(const FinishJob& job) noexcept;

/// Does the same pixel by pixel: equal bytes, on every instruction set.
void finish_pixel_by_pixel(const FinishJob& job) noexcept;

}  // namespace penstock::augment
