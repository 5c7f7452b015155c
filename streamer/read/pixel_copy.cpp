#include "streamer/read/pixel_copy.h"

#include <cstring>

namespace penstock {
namespace {

// Weights in 16-bit fixed point; they sum to 65536.
std::uint8_t luma(const std::uint8_t* rgb) noexcept {
  return static_cast<std::uint8_t>((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >>
                                   16);
}

struct Channels {
  std::uint32_t from = 1;
  std::uint32_t to = 1;
};

void convert(const std::uint8_t* from, std::uint8_t* to, std::size_t num_px,
             Channels channels) noexcept {
  if (channels.from == channels.to) {
    std::memcpy(to, from, num_px * channels.from);
  } else if (channels.to == 1) {
    for (std::size_t i = 0; i < num_px; ++i) to[i] = luma(from + 3 * i);
  } else {
    for (std::size_t i = 0; i < num_px; ++i) std::memset(to + 3 * i, from[i], 3);
  }
}

}  // namespace

MutableImageView part_of(const RectPx& region, std::uint32_t channels,
                         std::span<std::byte> pixels) noexcept {
  return {.pixels_hwc = reinterpret_cast<std::uint8_t*>(pixels.data()),
          .width_px = region.width,
          .height_px = region.height,
          .channels = channels,
          .pixel_stride_bytes = channels,
          .row_stride_bytes = std::size_t{region.width} * channels};
}

void copy_part(const ImageView& whole, FirstPixel first, const MutableImageView& part) noexcept {
  const Channels channels{.from = whole.channels, .to = part.channels};
  const std::uint8_t* from = whole.row(first.y) + std::size_t{first.x} * whole.channels;
  const bool is_gapless = whole.row_stride_bytes == std::size_t{part.width_px} * whole.channels &&
                          part.row_stride_bytes == std::size_t{part.width_px} * part.channels;
  if (is_gapless) {
    convert(from, part.pixels_hwc, std::size_t{part.width_px} * part.height_px, channels);
    return;
  }
  for (std::uint32_t y = 0; y < part.height_px; ++y) {
    convert(from + y * whole.row_stride_bytes, part.row(y), part.width_px, channels);
  }
}

}  // namespace penstock
