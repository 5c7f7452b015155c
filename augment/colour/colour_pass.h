// The colour steps of one sample over its canvas, and what of them is left to the last pass.
// Knows steps and pixels; knows no settings and no draws.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "augment/colour/colour_canvas.h"
#include "augment/colour/colour_matrix.h"
#include "augment/colour/colour_steps.h"

namespace penstock::augment {

/// Steps that need nothing but the pixel itself: what the last pass into the batch can do on its way.
struct ColourTail {
  std::optional<ColourMatrix> matrix;  // first, with a clamp to 0 to 255 behind it
  std::optional<float> hue_sixths;     // then, 0 to 6; pictures of three channels only
};

/// Applies the steps in order, but for a tail that is left to the caller. The canvas holds what the
/// tail starts from.
///
/// Linear steps in a row are one matrix and one clamp to 0 to 255. On pictures of one channel
/// saturation and hue change nothing.
///
/// Steps on bytes are tone_steps.h's.
///
/// Needs    tone_scratch_bytes() of scratch, aligned for floats
/// Stop     returns early from a canvas that is abandoned, whatever it has written; the same below
/// Threads  pure; allocates nothing
ColourTail apply_colour_steps(std::span<const ColourStep> steps, const Canvas& canvas,
                              std::span<std::byte> scratch) noexcept;

/// A turn of the colour wheel in sixths, 0 to 6.
float turn_sixths(float turns) noexcept;

/// Applies a tail to the canvas: what the last pass would do, but for its roundings of hue.
void apply_tail(const ColourTail& tail, const Canvas& canvas) noexcept;

/// Does the same pixel by pixel: equal bytes, on every instruction set.
void apply_tail_pixel_by_pixel(const ColourTail& tail, const Canvas& canvas) noexcept;

/// The means of a canvas's channels, 0 for those that it lacks. 32 partial sums of float32, of 4096
/// pixels at a time, which are added up in float64: the same on every instruction set.
ColourMatrix::Means channel_means(const Canvas& canvas) noexcept;

}  // namespace penstock::augment
