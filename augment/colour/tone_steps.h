// The colour operations that work on bytes: those of histograms, of single bits and of neighbours.
// Knows no settings and no draws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "augment/colour/colour_canvas.h"
#include "augment/colour/colour_steps.h"

namespace penstock::augment {

/// Tells whether a step is one of these: posterize, solarize, autocontrast, equalize, sharpness.
bool is_tone_step(ColourStepKind kind) noexcept;

/// Bytes that apply_tone_step() needs for a canvas of this width.
std::size_t tone_scratch_bytes(std::uint32_t width_px) noexcept;

/// Applies one such step in place.
///
/// The values are rounded to whole numbers (halves to even) and clamped to 0 to 255 first, and what
/// comes out are whole numbers of that range. Each channel goes by itself.
///
/// Stop          returns early from a canvas that is abandoned, whatever it has written
/// Precondition  is_tone_step(step.kind); scratch holds tone_scratch_bytes(), aligned for floats
/// Source        torchvision 0.29, transforms/_functional_tensor.py, for uint8 pictures
void apply_tone_step(const ColourStep& step, const Canvas& canvas,
                     std::span<std::byte> scratch) noexcept;

}  // namespace penstock::augment
