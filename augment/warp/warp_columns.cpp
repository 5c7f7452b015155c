#include "augment/warp/warp_columns.h"

namespace penstock::augment {
namespace {

/// Blends the pixels in use of two source rows, a plane for each channel of the image.
void blend_rows(const ImageView& image, const Neighbours& row, std::size_t num_planes,
                const ColumnTable& table) noexcept {
  const std::size_t stride = image.pixel_stride_bytes;
  const std::uint8_t* const top = image.row(row.first) + table.first_px * stride;
  const std::uint8_t* const bottom = image.row(row.second) + table.first_px * stride;
  for (std::size_t c = 0; c < num_planes; ++c) {
    float* const plane = table.values + c * table.plane_stride;
    for (std::size_t i = 0; i < table.num_px; ++i) {
      plane[i] = blend(top[i * stride + c], bottom[i * stride + c], row.weight);
    }
  }
}

template <std::uint32_t kChannels>
void sample(const WarpJob& job, const Frame& frame, const Lines& lines,
            const ColumnTable& table) noexcept {
  const std::size_t num_planes = frame.source_channel == 0 ? 1 : kChannels;
  for (std::uint32_t line_idx = 0; line_idx < lines.num_lines; ++line_idx) {
    if (job.slot.is_abandoned()) return;
    float* const line = frame.pixels + line_idx * lines.line_stride;
    const auto fill = [&](std::uint32_t begin, std::uint32_t end) {
      for (std::uint32_t i = begin; i < end; ++i) {
        fill_pixel<kChannels>(job, frame, line + i * lines.pixel_stride);
      }
    };
    const Neighbours row = find_neighbours(lines.row_factor * line_idx + job.map.y0, frame.y);
    if (!frame.shows(row)) {
      fill(0, lines.num_pixels);
      continue;
    }
    blend_rows(job.decoded.image, row, num_planes, table);
    fill(0, table.begin);
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      const float* const values = table.values + c * frame.source_channel * table.plane_stride;
      float* const plane = line + c * frame.plane;
      const ChannelScale scale = job.channels[c];
      for (std::uint32_t i = table.begin; i < table.end; ++i) {
        plane[i * lines.pixel_stride] =
            normalise(blend(values[table.left[i]], values[table.right[i]], table.weight[i]), scale);
      }
    }
    fill(table.end, lines.num_pixels);
  }
}

}  // namespace

void sample_columns(const WarpJob& job, const Frame& frame, const Lines& lines,
                    const ColumnTable& table) noexcept {
  if (job.slot.spec->channels == 1) return sample<1>(job, frame, lines, table);
  sample<3>(job, frame, lines, table);
}

}  // namespace penstock::augment
