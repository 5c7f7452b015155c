#include "augment/warp_filtered.h"

#include "augment/filter_pixel.h"
#include "augment/reduction.h"

namespace penstock::augment {
namespace {

bool is_turned(const AffineMap& map) noexcept {
  return !map.is_separable() && !map.is_quarter_turn();
}

template <std::uint32_t kChannels>
void sample_filtered(const WarpJob& job) noexcept {
  const Frame frame(job);
  const FilterAxis x_axis(frame.x, job.interpolation, std::hypot(job.map.xx, job.map.xy));
  const FilterAxis y_axis(frame.y, job.interpolation, std::hypot(job.map.yx, job.map.yy));
  for (std::uint32_t y = 0; y < frame.height; ++y) {
    if (job.slot.is_abandoned()) return;
    for (std::uint32_t x = 0; x < frame.width; ++x) {
      float* const out = frame.row(y) + x * frame.step;
      const PointPx p = job.map({static_cast<double>(x), static_cast<double>(y)});
      const FilterWindow columns = find_window(p.x, x_axis);
      const FilterWindow rows = find_window(p.y, y_axis);
      if (frame.fills_constant && !(columns.is_inside && rows.is_inside)) {
        fill_pixel<kChannels>(job, frame, out);
        continue;
      }
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        const float value =
            filtered_value(job.decoded.image, columns, rows, c * frame.source_channel);
        out[c * frame.plane] = normalise(value, job.channels[c]);
      }
    }
  }
}

/// The four pixels of the reduced picture are worked out for each output pixel anew.
template <std::uint32_t kChannels>
void sample_reduced(const WarpJob& job, const Frame& frame, const Reduction& reduction) noexcept {
  for (std::uint32_t y = 0; y < frame.height; ++y) {
    if (job.slot.is_abandoned()) return;
    for (std::uint32_t x = 0; x < frame.width; ++x) {
      float* const out = frame.row(y) + x * frame.step;
      const PointPx p = reduction.map({static_cast<double>(x), static_cast<double>(y)});
      const Neighbours column = find_neighbours(p.x, reduction.x.reduced);
      const Neighbours row = find_neighbours(p.y, reduction.y.reduced);
      if (!frame.shows(column) || !frame.shows(row)) {
        fill_pixel<kChannels>(job, frame, out);
        continue;
      }
      const FilterWindow left = reduction.x.window(column.first);
      const FilterWindow right = reduction.x.window(column.second);
      const FilterWindow top = reduction.y.window(row.first);
      const FilterWindow bottom = reduction.y.window(row.second);
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        const auto pixel = [&](const FilterWindow& columns, const FilterWindow& rows) {
          return byte_of(
              filtered_value(job.decoded.image, columns, rows, c * frame.source_channel));
        };
        const float a = blend(pixel(left, top), pixel(left, bottom), row.weight);
        const float b = blend(pixel(right, top), pixel(right, bottom), row.weight);
        out[c * frame.plane] = normalise(blend(a, b, column.weight), job.channels[c]);
      }
    }
  }
}

/// The same job as plain bilinear sampling.
WarpJob bilinear(WarpJob job) noexcept {
  job.interpolation = Interpolation::kBilinear;
  return job;
}

}  // namespace

bool is_filtered(const WarpJob& job) noexcept {
  return job.interpolation == Interpolation::kBilinearAntialias ||
         job.interpolation == Interpolation::kBicubic;
}

void warp_filtered(const WarpJob& job, std::span<std::byte> /*scratch*/) noexcept {
  warp_filtered_pixel_by_pixel(job);
}

void warp_filtered_pixel_by_pixel(const WarpJob& job) noexcept {
  const bool is_gray = job.slot.spec->channels == 1;
  if (job.interpolation == Interpolation::kBilinearAntialias && is_turned(job.map)) {
    const Frame frame(job);
    const Reduction reduction(job, frame);
    if (!reduction.is_needed()) return warp_pixel_by_pixel(bilinear(job));
    return is_gray ? sample_reduced<1>(job, frame, reduction)
                   : sample_reduced<3>(job, frame, reduction);
  }
  return is_gray ? sample_filtered<1>(job) : sample_filtered<3>(job);
}

}  // namespace penstock::augment
