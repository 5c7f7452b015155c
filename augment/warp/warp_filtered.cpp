#include "augment/warp/warp_filtered.h"

#include <algorithm>
#include <optional>

#include "augment/warp/column_table.h"
#include "augment/warp/filter_halves.h"
#include "augment/warp/filter_pixel.h"
#include "augment/warp/filter_rows.h"
#include "augment/warp/filter_table.h"
#include "augment/warp/reduction.h"
#include "augment/warp/warp_cubic.h"
#include "augment/warp/warp_general.h"
#include "augment/warp/warp_pixel.h"

namespace penstock::augment {
namespace {

template <std::uint32_t kChannels>
void sample_filtered(const WarpJob& job) noexcept {
  const Frame frame(job);
  const FilterAxis x_axis(frame.x, job.interpolation, std::hypot(job.map.xx, job.map.xy));
  const FilterAxis y_axis(frame.y, job.interpolation, std::hypot(job.map.yx, job.map.yy));
  for_positions(job, job.map, frame, [&](PointPx p, float* out) {
    const FilterWindow columns = find_window(p.x, x_axis);
    const FilterWindow rows = find_window(p.y, y_axis);
    if (frame.fills_constant && !(columns.is_inside && rows.is_inside)) {
      return fill_pixel<kChannels>(job, frame, out);
    }
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      const float value =
          filtered_value(job.decoded.image, columns, rows, c * frame.source_channel);
      out[c * frame.plane] = normalise(value, job.channels[c]);
    }
  });
}

/// The four pixels of the reduced picture are worked out for each output pixel anew.
template <std::uint32_t kChannels>
void sample_reduced(const WarpJob& job, const Frame& frame, const Reduction& reduction) noexcept {
  for_positions(job, reduction.map, frame, [&](PointPx p, float* out) {
    const Neighbours column = find_neighbours(p.x, reduction.x.reduced);
    const Neighbours row = find_neighbours(p.y, reduction.y.reduced);
    if (!frame.shows(column) || !frame.shows(row)) return fill_pixel<kChannels>(job, frame, out);
    const FilterWindow left = reduction.x.window(column.first);
    const FilterWindow right = reduction.x.window(column.second);
    const FilterWindow top = reduction.y.window(row.first);
    const FilterWindow bottom = reduction.y.window(row.second);
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      const auto pixel = [&](const FilterWindow& columns, const FilterWindow& rows) {
        return byte_of(filtered_value(job.decoded.image, columns, rows, c * frame.source_channel));
      };
      const float a = blend(pixel(left, top), pixel(left, bottom), row.weight);
      const float b = blend(pixel(right, top), pixel(right, bottom), row.weight);
      out[c * frame.plane] = normalise(blend(a, b, column.weight), job.channels[c]);
    }
  });
}

/// The same job as plain bilinear sampling.
WarpJob bilinear(WarpJob job) noexcept {
  job.interpolation = Interpolation::kBilinear;
  return job;
}

template <std::uint32_t kChannels>
void fill_beside(const WarpJob& job, const Frame& frame, const Lines& lines,
                 const FilterPass& pass) noexcept {
  const auto fill = [&](std::uint32_t line, std::uint32_t begin, std::uint32_t end) {
    for (std::uint32_t i = begin; i < end; ++i) {
      fill_pixel<kChannels>(job, frame,
                            frame.row(0) + line * lines.line_stride + i * lines.pixel_stride);
    }
  };
  for (std::uint32_t line = 0; line < pass.num_lines; ++line) {
    if (line < pass.lines.begin || line >= pass.lines.end) {
      fill(line, 0, pass.num_pixels);
    } else {
      fill(line, 0, pass.pixels.begin);
      fill(line, pass.pixels.end, pass.num_pixels);
    }
  }
}

bool halve_lines(const WarpJob& job, const Frame& frame, const Lines& lines, const FilterPass& pass,
                 std::span<std::byte> scratch) noexcept {
  if (job.decoded.image.channels != 3 || job.slot.spec->channels != 3 ||
      job.map.is_quarter_turn()) {
    return false;
  }
  const std::optional<HalvedPart> part = find_halved_part(pass);
  if (!part || !filter_halves(pass, *part, job, frame, scratch)) return false;
  fill_beside<3>(job, frame, lines, pass);
  return true;
}

/// Separable maps and quarter turns; false where the tables do not fit.
bool filter_lines(const WarpJob& job, const Frame& frame, std::span<std::byte> scratch) noexcept {
  const Lines lines(job, frame);
  FilterPass pass{.image = job.decoded.image,
                  .rows = {.filter = {frame.y, job.interpolation, lines.row_factor},
                           .factor = lines.row_factor,
                           .offset = job.map.y0},
                  .columns = {.filter = {frame.x, job.interpolation, lines.column_factor},
                              .factor = lines.column_factor,
                              .offset = job.map.x0},
                  .num_lines = lines.num_lines,
                  .num_pixels = lines.num_pixels};
  pass.lines = shown_range(pass.rows, pass.num_lines, frame.fills_constant);
  pass.pixels = shown_range(pass.columns, pass.num_pixels, frame.fills_constant);
  if (halve_lines(job, frame, lines, pass, scratch)) return true;
  FilterTable table;
  if (!make_filter_table(pass, scratch, table)) return false;
  if (job.slot.spec->channels == 1) {
    fill_beside<1>(job, frame, lines, pass);
  } else {
    fill_beside<3>(job, frame, lines, pass);
  }
  filter_into_slot(pass, table, job, frame, lines);
  return true;
}

/// Reduces the part of the picture that the job sees into bytes, and blends those. False where they or
/// the tables do not fit: with FillMode::kWrap both ends of a large picture may be in sight.
bool sample_reduction(const WarpJob& job, const Frame& frame, const Reduction& reduction,
                      std::span<std::byte> scratch) noexcept {
  const std::optional<RectPx> seen = reduction.seen_part(*job.slot.spec);
  if (!seen) return false;
  const ImageView& image = job.decoded.image;
  const std::size_t num_bytes = std::size_t{seen->width} * seen->height * image.channels;
  if (num_bytes > scratch.size()) return false;
  auto* const pixels = reinterpret_cast<std::uint8_t*>(scratch.data());
  const FilterPass pass{.image = image,
                        .rows = reduction.y.positions(seen->y),
                        .columns = reduction.x.positions(seen->x),
                        .num_lines = seen->height,
                        .num_pixels = seen->width,
                        .lines = {0, seen->height},
                        .pixels = {0, seen->width}};
  FilterTable table;
  if (!make_filter_table(pass, scratch.subspan(num_bytes), table)) return false;
  filter_into_bytes(pass, table, job.slot, pixels);
  WarpJob reduced = bilinear(job);
  reduced.map = reduction.map;
  reduced.decoded.image = {pixels,         seen->width,
                           seen->height,   image.channels,
                           image.channels, std::size_t{seen->width} * image.channels};
  reduced.decoded.region = *seen;
  Frame reduced_frame = frame;
  reduced_frame.x = reduction.x.reduced;
  reduced_frame.y = reduction.y.reduced;
  reduced_frame.x.begin = seen->x;
  reduced_frame.x.length = seen->width;
  reduced_frame.y.begin = seen->y;
  reduced_frame.y.length = seen->height;
  if (has_general_way(reduced)) {
    sample_general(reduced, reduced_frame);
  } else {
    sample_pixel_by_pixel(reduced, reduced_frame);
  }
  return true;
}

}  // namespace

bool is_filtered(Interpolation interpolation) noexcept {
  return interpolation == Interpolation::kBilinearAntialias ||
         interpolation == Interpolation::kBicubic;
}

std::size_t filter_scratch_bytes(const BatchSpec& spec, Interpolation interpolation) noexcept {
  const std::uint32_t side_px = reduced_side_px(spec);
  const std::uint32_t line_px = std::max({spec.width_px, spec.height_px, side_px});
  std::size_t bytes = filter_table_bytes(line_px);
  if (interpolation == Interpolation::kBilinearAntialias) {
    bytes += reduced_capacity_px(spec) * spec.channels;
  }
  return bytes;
}

void warp_filtered(const WarpJob& job, std::span<std::byte> scratch) noexcept {
  if (job.interpolation == Interpolation::kBicubic && job.map.is_turned()) {
    return has_cubic_way(job) ? sample_cubic(job, Frame(job)) : warp_filtered_pixel_by_pixel(job);
  }
  if (!has_filter_rows(job.decoded.image, job.slot.spec->channels)) {
    return warp_filtered_pixel_by_pixel(job);
  }
  const Frame frame(job);
  if (!job.map.is_turned()) {
    if (!filter_lines(job, frame, scratch)) warp_filtered_pixel_by_pixel(job);
    return;
  }
  const Reduction reduction(job, frame);
  if (!reduction.is_needed()) return warp(bilinear(job), scratch);
  if (!sample_reduction(job, frame, reduction, scratch)) warp_filtered_pixel_by_pixel(job);
}

void warp_filtered_pixel_by_pixel(const WarpJob& job) noexcept {
  const bool is_gray = job.slot.spec->channels == 1;
  if (job.interpolation == Interpolation::kBilinearAntialias && job.map.is_turned()) {
    const Frame frame(job);
    const Reduction reduction(job, frame);
    if (!reduction.is_needed()) return warp_pixel_by_pixel(bilinear(job));
    return is_gray ? sample_reduced<1>(job, frame, reduction)
                   : sample_reduced<3>(job, frame, reduction);
  }
  return is_gray ? sample_filtered<1>(job) : sample_filtered<3>(job);
}

}  // namespace penstock::augment
