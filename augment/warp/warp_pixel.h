// One output pixel, worked out alone: the slow way, and the rest of the fast ones.
#pragma once

#include "augment/warp/pixel_arithmetic.h"
#include "augment/warp/turned_positions.h"
#include "augment/warp/warp_frame.h"

namespace penstock::augment {

/// Samples the picture at `p`.
template <std::uint32_t kChannels, class Arithmetic>
void sample_point(const WarpJob& job, const Frame& frame, PointPx p, Arithmetic arithmetic,
                  typename Arithmetic::Stored* out) noexcept {
  const ImageView& image = job.decoded.image;
  const Neighbours column = find_neighbours(p.x, frame.x);
  const Neighbours row = find_neighbours(p.y, frame.y);
  if (!frame.shows(column) || !frame.shows(row)) {
    return fill_pixel<kChannels>(job, frame, arithmetic, out);
  }
  const auto row_weight = Arithmetic::row_weight(row.weight);
  const auto column_weight = Arithmetic::column_weight(column.weight);
  const std::uint8_t* const top = image.row(row.first);
  const std::uint8_t* const bottom = image.row(row.second);
  const std::size_t left = std::size_t{column.first} * image.pixel_stride_bytes;
  const std::size_t right = std::size_t{column.second} * image.pixel_stride_bytes;
  for (std::uint32_t c = 0; c < kChannels; ++c) {
    const std::size_t channel = c * frame.source_channel;
    const auto a = Arithmetic::down(top[left + channel], bottom[left + channel], row_weight);
    const auto b = Arithmetic::down(top[right + channel], bottom[right + channel], row_weight);
    out[c * frame.plane] = Arithmetic::across(a, b, column_weight, job.channels[c]);
  }
}

/// Calls visit(position, out) for every output pixel, with where `map` has it in the picture: in whole
/// numbers for turned maps, as the vectors have them.
template <class Stored = float, class Visit>
void for_positions(const WarpJob& job, const AffineMap& map, const Frame& frame,
                   const Visit& visit) noexcept {
  const bool is_turned = has_turned_positions(map, {frame.width, frame.height});
  for (std::uint32_t y = 0; y < frame.height; ++y) {
    if (job.slot.is_abandoned()) return;
    const TurnedRow turned(is_turned ? map : AffineMap{}, y);
    for (std::uint32_t x = 0; x < frame.width; ++x) {
      const PointPx p =
          is_turned ? turned.at(x) : map({static_cast<double>(x), static_cast<double>(y)});
      visit(p, frame.row<Stored>(y) + x * frame.step);
    }
  }
}

template <std::uint32_t kChannels, class Arithmetic>
void sample_all_pixels(const WarpJob& job, const Frame& frame, Arithmetic arithmetic) noexcept {
  using Stored = typename Arithmetic::Stored;
  for_positions<Stored>(job, job.map, frame, [&](PointPx p, Stored* out) {
    sample_point<kChannels>(job, frame, p, arithmetic, out);
  });
}

inline void sample_pixel_by_pixel(const WarpJob& job, const Frame& frame) noexcept {
  for_arithmetic(job, [&](auto arithmetic) {
    if (job.slot.spec->channels == 1) return sample_all_pixels<1>(job, frame, arithmetic);
    sample_all_pixels<3>(job, frame, arithmetic);
  });
}

}  // namespace penstock::augment
