#include "augment/warp_kernel.h"

#include <algorithm>

#include "augment/column_table.h"
#include "augment/warp_columns.h"
#include "augment/warp_frame.h"
#include "augment/warp_rows.h"

namespace penstock::augment {
namespace {

template <std::uint32_t kChannels>
void sample_pixel_by_pixel(const WarpJob& job) noexcept {
  const Frame frame(job);
  const ImageView& image = job.decoded.image;
  for (std::uint32_t y = 0; y < frame.height; ++y) {
    if (job.slot.is_abandoned()) return;
    float* out = frame.row(y);
    for (std::uint32_t x = 0; x < frame.width; ++x, out += frame.step) {
      const PointPx p = job.map({static_cast<double>(x), static_cast<double>(y)});
      const Neighbours column = find_neighbours(p.x, frame.x);
      const Neighbours row = find_neighbours(p.y, frame.y);
      if (!frame.shows(column) || !frame.shows(row)) {
        fill_pixel<kChannels>(job, frame, out);
        continue;
      }
      const std::uint8_t* top = image.row(row.first);
      const std::uint8_t* bottom = image.row(row.second);
      const std::size_t left = std::size_t{column.first} * image.pixel_stride_bytes;
      const std::size_t right = std::size_t{column.second} * image.pixel_stride_bytes;
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        const std::size_t channel = c * frame.source_channel;
        const float a = blend(top[left + channel], bottom[left + channel], row.weight);
        const float b = blend(top[right + channel], bottom[right + channel], row.weight);
        out[c * frame.plane] = normalise(blend(a, b, column.weight), job.channels[c]);
      }
    }
  }
}

}  // namespace

std::size_t warp_scratch_bytes(const BatchSpec& spec) noexcept {
  return column_table_bytes(std::max(spec.width_px, spec.height_px));
}

void warp(const WarpJob& job, std::span<std::byte> scratch) noexcept {
  if (!job.map.is_separable() && !job.map.is_quarter_turn()) return warp_pixel_by_pixel(job);
  const Frame frame(job);
  const Lines lines(job, frame);
  ColumnTable table;
  if (!make_column_table(job, frame, lines, scratch, table)) return warp_pixel_by_pixel(job);
  if (job.map.is_separable()) return sample_rows(job, frame, lines, table);
  sample_columns(job, frame, lines, table);
}

void warp_pixel_by_pixel(const WarpJob& job) noexcept {
  if (job.slot.spec->channels == 1) return sample_pixel_by_pixel<1>(job);
  sample_pixel_by_pixel<3>(job);
}

}  // namespace penstock::augment
