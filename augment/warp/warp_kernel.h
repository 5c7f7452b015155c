// The one pass over the pixels: sampling, normalisation and layout, straight into a slot.
// Knows a map and numbers; knows neither settings nor draws.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "augment/affine_map.h"
#include "augment/augment_config.h"
#include "augment/channel_scale.h"
#include "streamer/core/sample_transform.h"

namespace penstock::augment {

/// One picture to be sampled into one slot.
struct WarpJob {
  DecodedView decoded{};
  /// Output pixels -> pixels of the whole picture at the scale of `decoded`.
  AffineMap map{};
  /// Sides of the whole stored picture at full resolution.
  SizePx stored{};
  FillMode fill_mode = FillMode::kNearest;
  Interpolation interpolation = Interpolation::kBilinear;
  std::array<ChannelScale, 3> channels{};
  SampleSlot slot{};
};

/// Whether warp() writes such elements: filters write float32 only.
bool warps_into(ElementType element, Interpolation interpolation) noexcept;

/// Bytes of scratch with which warp() takes its fast way: with two neighbours for maps that shrink at
/// most four times along a row, with filters for maps that shrink at most 256 times.
std::size_t warp_scratch_bytes(const BatchSpec& spec,
                               Interpolation interpolation = Interpolation::kBilinear) noexcept;

/// Writes every element of the slot, where warps_into().
///
/// A position counts as inside from -0.5 to n - 0.5, the area that the pixels cover; inside it is
/// clamped to the pixel centres 0 to n - 1 and, with Interpolation::kBilinear, blended from its four
/// neighbours, vertically first: a + f (b - a) in float32. kNearest takes the pixel that it lies in,
/// kBilinearAntialias and kBicubic a filter's window (filter_window.h), antialiased turned maps a blend of
/// the reduced picture (reduction.h). Outside, FillMode::kNearest clamps likewise, kConstant writes `fill`,
/// kReflect and kWrap take what is seen there.
/// Values are normalised in float32 and rounded to elements (element_bits.h). With uint8, which takes a gain
/// of 1 and no bias, maps without rotation and shear, and quarter turns, blend in whole numbers
/// (fixed_point.h) instead.
/// Positions of turned maps are whole multiples of 2^-24 pixel (turned_positions.h), others float64. Any map
/// is safe, NaN and infinity too, and nothing outside `decoded.image` is read; too little scratch costs
/// speed only.
///
/// Needs    1 or 3 channels in the slot; as many in the image, or one, which then serves for all;
///          an image of at least one pixel
/// Threads  pure; allocates nothing
void warp(const WarpJob& job, std::span<std::byte> scratch) noexcept;

/// Does the same, but leaves the lower half of each float alone, side by side at the front of the slot.
/// Needs planes and room for the floats.
void warp_low_halves(const WarpJob& job, std::span<std::byte> scratch) noexcept;

/// Does the same as warp(), pixel by pixel, for any map: warp() gives equal bytes.
void warp_pixel_by_pixel(const WarpJob& job) noexcept;

}  // namespace penstock::augment
