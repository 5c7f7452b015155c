// The source columns of an output line: the same for every line of a map without rotation and
// shear, so worked out once, in the scratch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "augment/warp/warp_frame.h"

namespace penstock::augment {

/// How source rows lie in the output: along its rows, or along its columns when the map turns the
/// picture by a quarter (EXIF 5 to 8). An output line is what one source row fills.
struct Lines {
  Lines(const WarpJob& job, const Frame& frame) noexcept;

  std::uint32_t num_lines = 0;
  std::uint32_t num_pixels = 0;  // in a line
  std::size_t line_stride = 0;   // in elements of the output
  std::size_t pixel_stride = 0;  // in elements of the output
  double row_factor = 0;         // source rows from one line to the next
  double column_factor = 0;      // source columns from one pixel to the next
};

/// Where each pixel of a line finds its neighbours, and room for a source row in floats.
///
/// Shapes  left, right, weight: [num_pixels]; left and right count source pixels from first_px;
///         values: three planes of plane_stride floats, 64-byte aligned, of which num_px count, or
///         num_px pixels with their channels interleaved; what lies behind them may be read and
///         written, not used
struct ColumnTable {
  /// Source rows that `values` has room for, blended one by one and sampled together.
  static constexpr std::size_t kBlockRows = 8;
  static constexpr std::size_t kNumPlanes = 3;
  /// Pixels of a source row that may be read past its end.
  static constexpr std::size_t kSlackPx = 128;

  std::span<std::int32_t> left;
  std::span<std::int32_t> right;
  std::span<float> weight;
  float* values = nullptr;
  std::size_t plane_stride = 0;
  std::byte* pick_place = nullptr;  // room for a PickTable or a ByteTable, 64-byte aligned
  std::uint32_t first_px = 0;       // of the image's rows
  std::uint32_t num_px = 0;         // of them, in use
  std::uint32_t begin = 0;          // pixels from `begin` to `end` show the picture
  std::uint32_t end = 0;
  /// Whether every weight is 0 and neighbours of a line are neighbours in the source, in one
  /// direction: then pixel `copy_begin + i` shows source pixel `i` (of num_px), or num_px - 1 - i, and
  /// pixels from `begin` to `end` beside these show the nearest of them.
  bool is_copy = false;
  bool is_reversed = false;
  std::uint32_t copy_begin = 0;
};

/// Bytes that a table for lines of so many pixels takes.
std::size_t column_table_bytes(std::uint32_t line_px) noexcept;

/// Lays the table into `scratch` and fills it; false when there is no room for it, or when the
/// columns span more than about four times the line.
bool make_column_table(const WarpJob& job, const Frame& frame, const Lines& lines,
                       std::span<std::byte> scratch, ColumnTable& table) noexcept;

}  // namespace penstock::augment
