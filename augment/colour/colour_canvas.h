// A sampled picture on its way into the batch, in a worker's scratch.
// Knows no settings and no draws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>

#include "streamer/core/batch.h"

namespace penstock::augment {

/// Borrowed floats in units of the stored pixels: 0 is black, 255 white.
///
/// Shapes  values: [channels, height_px, width_px], without gaps, 64-byte aligned; 1 or 3 channels
struct Canvas {
  float* values = nullptr;
  std::uint32_t channels = 0;
  std::uint32_t height_px = 0;
  std::uint32_t width_px = 0;
  /// Requested when nobody will look at the sample any more; null: somebody will.
  const std::stop_token* stop = nullptr;

  /// Values between two looks at the stop: tens of microseconds.
  static constexpr std::size_t kPieceValues = std::size_t{1} << 15;

  bool is_abandoned() const noexcept { return stop != nullptr && stop->stop_requested(); }
  std::size_t plane_px() const noexcept { return std::size_t{height_px} * width_px; }
  std::span<float> plane(std::uint32_t channel) const noexcept {
    return {values + channel * plane_px(), plane_px()};
  }
};

/// Bytes of scratch that place_canvas() takes for a sample of such batches.
std::size_t canvas_bytes(const BatchSpec& spec) noexcept;

/// A canvas of a sample's sides and channels, and what is left of the scratch behind it.
struct PlacedCanvas {
  Canvas canvas;
  std::span<std::byte> rest;
};

/// Lays a canvas, not yet written, into at least canvas_bytes() of scratch.
PlacedCanvas place_canvas(const BatchSpec& spec, std::span<std::byte> scratch) noexcept;

}  // namespace penstock::augment
