// Borrowed pixels: who owns them is said where the view is made.
#pragma once

#include <cstddef>
#include <cstdint>

namespace penstock {

/// A rectangle in pixels; `x` and `y` of its top-left corner.
struct RectPx {
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;

  friend bool operator==(const RectPx&, const RectPx&) = default;
};

/// Interleaved uint8 pixels, rows top to bottom.
///
/// Shapes  pixels_hwc: [height_px, width_px, pixel_stride_bytes], of which the first `channels`
///         bytes of a pixel count (RGBX has channels 3, pixel stride 4)
struct ImageView {
  const std::uint8_t* pixels_hwc = nullptr;
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint32_t channels = 0;
  std::uint32_t pixel_stride_bytes = 0;
  std::size_t row_stride_bytes = 0;

  const std::uint8_t* row(std::uint32_t y) const noexcept {
    return pixels_hwc + y * row_stride_bytes;
  }
};

/// The writable twin of ImageView.
struct MutableImageView {
  std::uint8_t* pixels_hwc = nullptr;
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint32_t channels = 0;
  std::uint32_t pixel_stride_bytes = 0;
  std::size_t row_stride_bytes = 0;

  std::uint8_t* row(std::uint32_t y) const noexcept { return pixels_hwc + y * row_stride_bytes; }
  operator ImageView() const noexcept {  // NOLINT: implicit on purpose
    return {pixels_hwc, width_px, height_px, channels, pixel_stride_bytes, row_stride_bytes};
  }
};

}  // namespace penstock
