// A canvas in 16-bit whole numbers, for samples whose colour steps end with hue and need no bytes and no
// picture but its mean: half the memory of floats, on which the last pass starts as it is.
// Knows no settings and no draws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "augment/channel_scale.h"
#include "augment/colour/colour_canvas.h"
#include "augment/colour/colour_pass.h"
#include "augment/colour/colour_steps.h"

namespace penstock::augment {

/// Borrowed values of three channels in units of 1/128 of a level (fixed_tail.h).
///
/// Shapes  values: [3, plane_px], without gaps
struct FixedCanvas {
  const std::int16_t* values = nullptr;
  std::size_t plane_px = 0;
  /// Requested when nobody will look at the sample any more; null: somebody will.
  const std::stop_token* stop = nullptr;

  bool is_abandoned() const noexcept { return stop != nullptr && stop->stop_requested(); }
};

/// With which warp_low_halves() makes such values; `fill` is a level.
ChannelScale fixed_scale(float fill) noexcept;

/// Whether the steps are hue behind any linear ones, of factors that fixed point holds in any picture:
/// of as many channels.
bool keep_fixed(std::span<const ColourStep> steps, std::uint32_t channels) noexcept;

/// These steps as a tail.
///
/// Stop     of an abandoned canvas whatever; the same below
/// Threads  pure; allocates nothing
ColourTail fixed_canvas_tail(std::span<const ColourStep> steps, const FixedCanvas& canvas) noexcept;

/// The means of the channels in levels.
ColourMatrix::Means fixed_means(const FixedCanvas& canvas) noexcept;

}  // namespace penstock::augment
