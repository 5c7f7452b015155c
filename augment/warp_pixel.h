// One output pixel, worked out alone: the slow way, and the rest of the fast ones.
#pragma once

#include "augment/warp_frame.h"

namespace penstock::augment {

template <std::uint32_t kChannels>
void sample_pixel(const WarpJob& job, const Frame& frame, std::uint32_t x_px,
                  std::uint32_t y_px) noexcept {
  const ImageView& image = job.decoded.image;
  float* const out = frame.row(y_px) + x_px * frame.step;
  const PointPx p = job.map({static_cast<double>(x_px), static_cast<double>(y_px)});
  const Neighbours column = find_neighbours(p.x, frame.x);
  const Neighbours row = find_neighbours(p.y, frame.y);
  if (!frame.shows(column) || !frame.shows(row)) return fill_pixel<kChannels>(job, frame, out);
  const std::uint8_t* const top = image.row(row.first);
  const std::uint8_t* const bottom = image.row(row.second);
  const std::size_t left = std::size_t{column.first} * image.pixel_stride_bytes;
  const std::size_t right = std::size_t{column.second} * image.pixel_stride_bytes;
  for (std::uint32_t c = 0; c < kChannels; ++c) {
    const std::size_t channel = c * frame.source_channel;
    const float a = blend(top[left + channel], bottom[left + channel], row.weight);
    const float b = blend(top[right + channel], bottom[right + channel], row.weight);
    out[c * frame.plane] = normalise(blend(a, b, column.weight), job.channels[c]);
  }
}

template <std::uint32_t kChannels>
void sample_all_pixels(const WarpJob& job, const Frame& frame) noexcept {
  for (std::uint32_t y = 0; y < frame.height; ++y) {
    if (job.slot.is_abandoned()) return;
    for (std::uint32_t x = 0; x < frame.width; ++x) sample_pixel<kChannels>(job, frame, x, y);
  }
}

inline void sample_pixel_by_pixel(const WarpJob& job, const Frame& frame) noexcept {
  if (job.slot.spec->channels == 1) return sample_all_pixels<1>(job, frame);
  sample_all_pixels<3>(job, frame);
}

}  // namespace penstock::augment
