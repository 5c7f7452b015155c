#include "tools/bench/bare_pad_crop.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace penstock::tools::bench {
namespace {

template <bool kIsFlipped>
void crop_channel(const PadCrop& crop, std::size_t channel, float gain, float bias) noexcept {
  const std::int32_t side = crop.side_px;
  float* out = crop.out + channel * static_cast<std::size_t>(side) * side;
  // Columns of the window that show the picture.
  const std::int32_t begin = std::max(0, -crop.left_px);
  const std::int32_t end = std::min(side, side - crop.left_px);
  for (std::int32_t y = 0; y < side; ++y, out += side) {
    const std::int32_t row = y + crop.top_px;
    if (row < 0 || row >= side) {
      for (std::int32_t x = 0; x < side; ++x) out[x] = bias;
      continue;
    }
    const std::uint8_t* in = crop.pixels_hwc + (row * side + crop.left_px) * 3 + channel;
    for (std::int32_t x = 0; x < begin; ++x) out[kIsFlipped ? side - 1 - x : x] = bias;
    for (std::int32_t x = begin; x < end; ++x) {
      out[kIsFlipped ? side - 1 - x : x] = static_cast<float>(in[3 * x]) * gain + bias;
    }
    for (std::int32_t x = end; x < side; ++x) out[kIsFlipped ? side - 1 - x : x] = bias;
  }
}

void fill(float* out, std::int32_t num_px, const std::array<float, 3>& value) noexcept {
  for (std::int32_t x = 0; x < num_px; ++x) {
    for (std::int32_t c = 0; c < 3; ++c) out[3 * x + c] = value[c];
  }
}

template <bool kIsFlipped>
void crop_pixels(const PadCrop& crop, const PadCropScale& scale) noexcept {
  const std::int32_t side = crop.side_px;
  float* out = crop.out;
  const std::int32_t begin = std::max(0, -crop.left_px);
  const std::int32_t end = std::min(side, side - crop.left_px);
  for (std::int32_t y = 0; y < side; ++y, out += 3 * side) {
    const std::int32_t row = y + crop.top_px;
    if (row < 0 || row >= side) {
      fill(out, side, scale.bias);
      continue;
    }
    const std::uint8_t* in = crop.pixels_hwc + (row * side + crop.left_px) * 3;
    const std::int32_t first = kIsFlipped ? side - end : begin;  // of the columns written
    fill(out, first, scale.bias);
    for (std::int32_t x = begin; x < end; ++x) {
      float* const to = out + 3 * (kIsFlipped ? side - 1 - x : x);
      for (std::int32_t c = 0; c < 3; ++c) {
        to[c] = static_cast<float>(in[3 * x + c]) * scale.gain[c] + scale.bias[c];
      }
    }
    const std::int32_t after = first + end - begin;
    fill(out + 3 * after, side - after, scale.bias);
  }
}

}  // namespace

void bare_pad_crop(const PadCrop& crop, const PadCropScale& scale, PixelLayout layout) noexcept {
  if (layout == PixelLayout::kNhwc) {
    crop.is_flipped ? crop_pixels<true>(crop, scale) : crop_pixels<false>(crop, scale);
    return;
  }
  for (std::size_t c = 0; c < 3; ++c) {
    if (crop.is_flipped) {
      crop_channel<true>(crop, c, scale.gain[c], scale.bias[c]);
    } else {
      crop_channel<false>(crop, c, scale.gain[c], scale.bias[c]);
    }
  }
}

}  // namespace penstock::tools::bench
