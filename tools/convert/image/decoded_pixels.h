// Pixels that conversion has decoded itself.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "streamer/core/image_view.h"

namespace penstock::convert {

/// Shapes  pixels_hwc: [height_px, width_px, channels], channels 3 (RGB) or 1 (gray)
struct DecodedPixels {
  std::vector<std::uint8_t> pixels_hwc;
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint32_t channels = 3;
  bool had_alpha = false;    // was laid onto a background
  bool had_16_bits = false;  // was rounded to 8

  ImageView view() const noexcept {
    return {.pixels_hwc = pixels_hwc.data(),
            .width_px = width_px,
            .height_px = height_px,
            .channels = channels,
            .pixel_stride_bytes = channels,
            .row_stride_bytes = std::size_t{width_px} * channels};
  }
};

/// Pixels, or the decoder's words on why there are none.
using DecodeOutcome = std::variant<DecodedPixels, std::string>;

}  // namespace penstock::convert
