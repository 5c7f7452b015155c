#include "augment/warp/warp_columns.h"

#include "augment/warp/pixel_arithmetic.h"

namespace penstock::augment {
namespace {

/// Blends the pixels in use of two source rows, a plane for each channel of the image.
template <class Arithmetic>
void blend_rows(const ImageView& image, const Neighbours& row, std::size_t num_planes,
                const ColumnTable& table, typename Arithmetic::Value* values) noexcept {
  const std::size_t stride = image.pixel_stride_bytes;
  const std::uint8_t* const top = image.row(row.first) + table.first_px * stride;
  const std::uint8_t* const bottom = image.row(row.second) + table.first_px * stride;
  const auto weight = Arithmetic::row_weight(row.weight);
  for (std::size_t c = 0; c < num_planes; ++c) {
    typename Arithmetic::Value* const plane = values + c * table.plane_stride;
    for (std::size_t i = 0; i < table.num_px; ++i) {
      plane[i] = Arithmetic::down(top[i * stride + c], bottom[i * stride + c], weight);
    }
  }
}

template <std::uint32_t kChannels, class Arithmetic>
void sample(const WarpJob& job, const Frame& frame, const Lines& lines, const ColumnTable& table,
            Arithmetic arithmetic) noexcept {
  using Stored = typename Arithmetic::Stored;
  using Value = typename Arithmetic::Value;
  static_assert(sizeof(Value) <= sizeof(float));  // what the table has room for
  Value* const values = reinterpret_cast<Value*>(table.values);
  const std::size_t num_planes = frame.source_channel == 0 ? 1 : kChannels;
  for (std::uint32_t line_idx = 0; line_idx < lines.num_lines; ++line_idx) {
    if (job.slot.is_abandoned()) return;
    Stored* const line = frame.row<Stored>(0) + line_idx * lines.line_stride;
    const auto fill = [&](std::uint32_t begin, std::uint32_t end) {
      for (std::uint32_t i = begin; i < end; ++i) {
        fill_pixel<kChannels>(job, frame, arithmetic, line + i * lines.pixel_stride);
      }
    };
    const Neighbours row = find_neighbours(lines.row_factor * line_idx + job.map.y0, frame.y);
    if (!frame.shows(row)) {
      fill(0, lines.num_pixels);
      continue;
    }
    blend_rows<Arithmetic>(job.decoded.image, row, num_planes, table, values);
    fill(0, table.begin);
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      const Value* const from = values + c * frame.source_channel * table.plane_stride;
      Stored* const plane = line + c * frame.plane;
      const ChannelScale scale = job.channels[c];
      for (std::uint32_t i = table.begin; i < table.end; ++i) {
        plane[i * lines.pixel_stride] =
            Arithmetic::across(from[table.left[i]], from[table.right[i]],
                               Arithmetic::column_weight(table.weight[i]), scale);
      }
    }
    fill(table.end, lines.num_pixels);
  }
}

}  // namespace

void sample_columns(const WarpJob& job, const Frame& frame, const Lines& lines,
                    const ColumnTable& table) noexcept {
  for_arithmetic(job, [&](auto arithmetic) {
    if (job.slot.spec->channels == 1) return sample<1>(job, frame, lines, table, arithmetic);
    sample<3>(job, frame, lines, table, arithmetic);
  });
}

}  // namespace penstock::augment
