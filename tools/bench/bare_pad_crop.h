// Padded crop, flip and normalisation as plain loops over bytes in memory: what small pictures cost
// without an engine around them.
#pragma once

#include <array>
#include <cstdint>

#include "streamer/core/batch.h"

namespace penstock::tools::bench {

/// One picture's way into a batch.
///
/// Shapes  pixels_hwc: [side, side, 3]; out: [3, side, side] or [side, side, 3], by the layout
struct PadCrop {
  const std::uint8_t* pixels_hwc = nullptr;
  float* out = nullptr;
  std::int32_t side_px = 0;
  std::int32_t left_px = 0;  // of the window, -padding to padding
  std::int32_t top_px = 0;
  bool is_flipped = false;
};

/// A value becomes value * gain + bias, channel by channel; what is padded is 0 before.
struct PadCropScale {
  std::array<float, 3> gain{};
  std::array<float, 3> bias{};
};

void bare_pad_crop(const PadCrop& crop, const PadCropScale& scale, PixelLayout layout) noexcept;

}  // namespace penstock::tools::bench
