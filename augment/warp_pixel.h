// One output pixel, worked out alone: the slow way, and the rest of the fast ones.
#pragma once

#include "augment/warp_frame.h"

namespace penstock::augment {

/// Samples the picture at `p`.
template <std::uint32_t kChannels>
void sample_point(const WarpJob& job, const Frame& frame, PointPx p, float* out) noexcept {
  const ImageView& image = job.decoded.image;
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

}  // namespace penstock::augment
