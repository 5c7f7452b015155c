// One decoded picture into one slot: straight, or over a canvas where there are colours to change or
// filtered elements to convert. Knows what was decided for the sample; knows no settings and no draws.
#pragma once

#include <cstddef>
#include <span>

#include "augment/colour/colour_steps.h"
#include "augment/warp/warp_kernel.h"

namespace penstock::augment {

/// What is to be done to one sample.
struct SampleJob {
  /// Its `channels` normalise, and their `fill` is normalised; its slot is of any element type.
  WarpJob warp{};
  ColourSteps colours{};
  /// Value outside the picture with FillMode::kConstant, in units of the stored pixels.
  float cval = 0;
  /// Window of the slot that is overwritten at the end; of width 0 when none is.
  RectPx erased{};
  /// What it becomes, as an element: normalised, or a pixel value of uint8.
  float erased_value = 0;
};

/// Bytes of scratch for a sample of such batches with these colours.
std::size_t sample_scratch_bytes(const BatchSpec& spec, Interpolation interpolation,
                                 const ColourSteps& colours) noexcept;

/// The most that any colours take.
std::size_t most_sample_scratch_bytes(const BatchSpec& spec, Interpolation interpolation) noexcept;

/// Writes every element of the slot, unless it is abandoned.
///
/// Needs    sample_scratch_bytes() of scratch
/// Threads  pure; allocates nothing
void fill_slot(const SampleJob& job, std::span<std::byte> scratch) noexcept;

}  // namespace penstock::augment
