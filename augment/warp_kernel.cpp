#include "augment/warp_kernel.h"

#include <algorithm>
#include <cstdint>
#include <memory>

namespace penstock::augment {
namespace {

/// One axis of the picture at decode scale, of which the image at hand holds a part.
struct Axis {
  double last = 0;    // the last pixel's centre
  double extent = 0;  // the full picture's length in decoded pixels: 10.125 where 11 are stored
  std::uint32_t begin = 0;   // first pixel of the part
  std::uint32_t length = 1;  // pixels of the part
};

/// Two neighbours on an axis, counted from the part's first pixel, and the share of the second.
struct Neighbours {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  float weight = 0;
  bool is_inside = false;
};

std::uint32_t index_in_part(std::uint32_t pixel, const Axis& axis) noexcept {
  return pixel < axis.begin ? 0 : std::min(pixel - axis.begin, axis.length - 1);
}

Neighbours find_neighbours(double position, const Axis& axis) noexcept {
  // Written so that NaN is outside and counts as 0.
  const double clamped = position > 0 ? (position < axis.last ? position : axis.last) : 0.0;
  const auto pixel = static_cast<std::uint32_t>(clamped);
  return {.first = index_in_part(pixel, axis),
          .second = index_in_part(pixel + 1, axis),  // beyond the edge: weight 0
          .weight = static_cast<float>(clamped - pixel),
          .is_inside = position >= -0.5 && position <= axis.extent - 0.5};
}

float blend(float a, float b, float weight) noexcept {
  return a + weight * (b - a);
}

float normalise(float value, const ChannelScale& scale) noexcept {
  return value * scale.gain + scale.bias;
}

/// The job's numbers in the form in which the loops use them.
struct Frame {
  explicit Frame(const WarpJob& job) noexcept
      : width(job.slot.spec->width_px),
        height(job.slot.spec->height_px),
        fills_constant(job.fill_mode == FillMode::kConstant),
        pixels(reinterpret_cast<float*>(job.slot.pixels)),
        plane(job.slot.spec->layout == PixelLayout::kNchw ? std::size_t{width} * height : 1),
        step(job.slot.spec->layout == PixelLayout::kNchw ? 1 : job.slot.spec->channels),
        source_channel(job.decoded.image.channels >= job.slot.spec->channels ? 1 : 0) {
    const DecodedView& decoded = job.decoded;
    const SizePx whole = decoded_size(job.stored, decoded.decode_scale);
    const double scale = decoded.decode_scale;
    x = {.last = static_cast<double>(whole.width) - 1,
         .extent = job.stored.width / scale,
         .begin = decoded.region.x,
         .length = decoded.image.width_px};
    y = {.last = static_cast<double>(whole.height) - 1,
         .extent = job.stored.height / scale,
         .begin = decoded.region.y,
         .length = decoded.image.height_px};
  }

  bool shows(const Neighbours& on_axis) const noexcept {
    return on_axis.is_inside || !fills_constant;
  }
  float* row(std::uint32_t y_px) const noexcept {
    return pixels + std::size_t{y_px} * width * step;
  }

  std::uint32_t width;   // of the output
  std::uint32_t height;  // of the output
  bool fills_constant;
  float* pixels;
  std::size_t plane;           // from one output channel to the next
  std::size_t step;            // from one output pixel to the next
  std::size_t source_channel;  // from one channel of the image to the next; 0 repeats gray
  Axis x;
  Axis y;
};

template <std::uint32_t kChannels>
void fill_pixel(const WarpJob& job, const Frame& frame, float* out) noexcept {
  for (std::uint32_t c = 0; c < kChannels; ++c) out[c * frame.plane] = job.channels[c].fill;
}

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

/// Where one output pixel finds its neighbours in a blended source row.
struct ColumnEntry {
  std::uint32_t left = 0;   // index into the row's floats
  std::uint32_t right = 0;  // index into the row's floats
  float weight = 0;
};

/// How source rows lie in the output: along its rows, or along its columns when the map turns the
/// picture by a quarter (EXIF 5 to 8). An output line is what one source row fills.
struct Lines {
  Lines(const WarpJob& job, const Frame& frame) noexcept {
    const std::size_t row_stride = frame.width * frame.step;
    if (job.map.is_separable()) {
      num_lines = frame.height;
      num_pixels = frame.width;
      line_stride = row_stride;
      pixel_stride = frame.step;
      row_factor = job.map.yy;
      column_factor = job.map.xx;
    } else {
      num_lines = frame.width;
      num_pixels = frame.height;
      line_stride = frame.step;
      pixel_stride = row_stride;
      row_factor = job.map.yx;
      column_factor = job.map.xy;
    }
  }

  std::uint32_t num_lines = 0;
  std::uint32_t num_pixels = 0;  // in a line
  std::size_t line_stride = 0;   // in elements of the output
  std::size_t pixel_stride = 0;  // in elements of the output
  double row_factor = 0;         // source rows from one line to the next
  double column_factor = 0;      // source columns from one pixel to the next
};

constexpr std::uint32_t kMaxPixelStride = 4;
constexpr std::size_t kAlignment = 64;

/// Pixels of a source row that the scratch has room for.
std::size_t row_capacity_px(std::uint32_t line_px) noexcept {
  return 4 * std::size_t{line_px} + 8;
}

/// The source columns of a line: the same for every line, so worked out once.
struct ColumnTable {
  std::span<ColumnEntry> entries;  // one per pixel of a line
  std::span<float> row;            // a source row, top and bottom blended
  std::uint32_t first_px = 0;      // source pixel at row[0]
  std::uint32_t num_px = 0;        // source pixels in use
  std::uint32_t begin = 0;         // pixels from `begin` to `end` show the picture
  std::uint32_t end = 0;
};

std::size_t table_bytes(std::uint32_t line_px) noexcept {
  return row_capacity_px(line_px) * kMaxPixelStride * sizeof(float) + line_px * sizeof(ColumnEntry);
}

/// Lays the table into the scratch; false when there is no room.
bool place_table(const Lines& lines, std::span<std::byte> scratch, ColumnTable& table) noexcept {
  void* place = scratch.data();
  std::size_t left_bytes = scratch.size();
  if (place == nullptr ||
      std::align(kAlignment, table_bytes(lines.num_pixels), place, left_bytes) == nullptr) {
    return false;
  }
  auto* row = static_cast<float*>(place);
  table.row = {row, row_capacity_px(lines.num_pixels) * kMaxPixelStride};
  table.entries = {reinterpret_cast<ColumnEntry*>(row + table.row.size()), lines.num_pixels};
  return true;
}

/// Fills the table; false when the columns span more than it has room for.
bool fill_table(const WarpJob& job, const Frame& frame, const Lines& lines,
                ColumnTable& table) noexcept {
  const std::size_t stride = job.decoded.image.pixel_stride_bytes;
  const auto neighbours_of = [&](std::uint32_t i) {
    return find_neighbours(lines.column_factor * i + job.map.x0, frame.x);
  };
  // Positions rise or fall along a line, so the pixels that show the picture are neighbours, and
  // the outermost source pixels belong to the first and the last of them.
  table.begin = 0;
  table.end = lines.num_pixels;
  while (table.begin < table.end && !frame.shows(neighbours_of(table.begin))) ++table.begin;
  while (table.end > table.begin && !frame.shows(neighbours_of(table.end - 1))) --table.end;
  if (table.begin == table.end) return true;
  const Neighbours one_end = neighbours_of(table.begin);
  const Neighbours other_end = neighbours_of(table.end - 1);
  table.first_px = std::min(one_end.first, other_end.first);
  table.num_px = std::max(one_end.second, other_end.second) - table.first_px + 1;
  if (table.num_px > row_capacity_px(lines.num_pixels)) return false;
  for (std::uint32_t i = table.begin; i < table.end; ++i) {
    const Neighbours n = neighbours_of(i);
    table.entries[i] = {static_cast<std::uint32_t>((n.first - table.first_px) * stride),
                        static_cast<std::uint32_t>((n.second - table.first_px) * stride), n.weight};
  }
  return true;
}

/// Samples line by line: blends two source rows over the columns in use, then picks the columns.
/// `kPixelStride` is Lines::pixel_stride where the compiler may know it, else 0.
template <std::uint32_t kChannels, std::size_t kPixelStride>
void sample_by_lines(const WarpJob& job, const Frame& frame, const Lines& lines,
                     const ColumnTable& table) noexcept {
  const ImageView& image = job.decoded.image;
  const std::size_t pixel_stride = kPixelStride == 0 ? lines.pixel_stride : kPixelStride;
  const std::size_t first_byte = std::size_t{table.first_px} * image.pixel_stride_bytes;
  // The last pixel of a picture may end before its stride does.
  const std::size_t num_values =
      table.num_px == 0
          ? 0
          : (table.num_px - 1) * std::size_t{image.pixel_stride_bytes} + image.channels;
  float* const values = table.row.data();
  const auto fill = [&](float* line, std::uint32_t begin, std::uint32_t end) {
    for (std::uint32_t i = begin; i < end; ++i) {
      fill_pixel<kChannels>(job, frame, line + i * pixel_stride);
    }
  };
  for (std::uint32_t line_idx = 0; line_idx < lines.num_lines; ++line_idx) {
    if (job.slot.is_abandoned()) return;
    float* const line = frame.pixels + line_idx * lines.line_stride;
    const Neighbours row = find_neighbours(lines.row_factor * line_idx + job.map.y0, frame.y);
    if (!frame.shows(row)) {
      fill(line, 0, lines.num_pixels);
      continue;
    }
    const std::uint8_t* const top = image.row(row.first) + first_byte;
    const std::uint8_t* const bottom = image.row(row.second) + first_byte;
    for (std::size_t i = 0; i < num_values; ++i) values[i] = blend(top[i], bottom[i], row.weight);

    fill(line, 0, table.begin);
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      const float* const channel = values + c * frame.source_channel;
      float* const plane = line + c * frame.plane;
      const ChannelScale scale = job.channels[c];
      for (std::uint32_t i = table.begin; i < table.end; ++i) {
        const ColumnEntry entry = table.entries[i];
        plane[i * pixel_stride] =
            normalise(blend(channel[entry.left], channel[entry.right], entry.weight), scale);
      }
    }
    fill(line, table.end, lines.num_pixels);
  }
}

}  // namespace

std::size_t warp_scratch_bytes(const BatchSpec& spec) noexcept {
  return kAlignment + table_bytes(std::max(spec.width_px, spec.height_px));
}

void warp(const WarpJob& job, std::span<std::byte> scratch) noexcept {
  const bool can_go_by_lines = (job.map.is_separable() || job.map.is_quarter_turn()) &&
                               job.decoded.image.pixel_stride_bytes <= kMaxPixelStride;
  if (!can_go_by_lines) return warp_pixel_by_pixel(job);
  const Frame frame(job);
  const Lines lines(job, frame);
  ColumnTable table;
  if (!place_table(lines, scratch, table) || !fill_table(job, frame, lines, table)) {
    return warp_pixel_by_pixel(job);
  }
  if (job.slot.spec->channels == 1) return sample_by_lines<1, 0>(job, frame, lines, table);
  if (lines.pixel_stride == 1) return sample_by_lines<3, 1>(job, frame, lines, table);
  if (lines.pixel_stride == 3) return sample_by_lines<3, 3>(job, frame, lines, table);
  return sample_by_lines<3, 0>(job, frame, lines, table);
}

void warp_pixel_by_pixel(const WarpJob& job) noexcept {
  if (job.slot.spec->channels == 1) return sample_pixel_by_pixel<1>(job);
  sample_pixel_by_pixel<3>(job);
}

}  // namespace penstock::augment
