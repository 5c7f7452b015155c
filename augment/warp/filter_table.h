// A filter pass along both axes of a picture, and the tables that it takes, in the scratch.
// Knows no output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "augment/warp/filter_window.h"

namespace penstock::augment {

/// The positions of a row of output pixels on one axis: factor (first_idx + i) + offset.
struct FilterPositions {
  FilterAxis filter;
  double factor = 0;
  double offset = 0;
  std::uint32_t first_idx = 0;

  FilterWindow window(std::uint32_t i) const noexcept {
    return find_window(factor * (first_idx + i) + offset, filter);
  }
};

/// Lines or pixels that show the picture: neighbours, since positions rise or fall.
struct ShownRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// Which source rows make each line of the result, and which columns each of its pixels.
struct FilterPass {
  ImageView image{};
  FilterPositions rows;
  FilterPositions columns;
  std::uint32_t num_lines = 0;
  std::uint32_t num_pixels = 0;  // of a line
  ShownRange lines{};
  ShownRange pixels{};
};

/// All of them, or with FillMode::kConstant those whose positions lie in the picture.
ShownRange shown_range(const FilterPositions& positions, std::uint32_t count,
                       bool fills_constant) noexcept;

/// Shapes  first: [num_pixels], counted from the image's first column; weights: [num_pixels][num_taps],
///         zeros around the window's own; strip, row_weights: room for a block of lines
struct FilterTable {
  static constexpr std::uint32_t kMaxTaps = 512;  // of a row or a column
  static constexpr std::uint32_t kMaxLanes = 16;  // lines of a block, the floats of a vector
  static constexpr std::uint32_t kMaxPlanes = 3;
  /// Columns of floats that a strip has room for: those of one pixel at least, in whole vectors.
  static constexpr std::uint32_t kStripFloats = kMaxPlanes * kMaxTaps + 4 * kMaxLanes;

  std::uint32_t num_taps = 0;
  std::uint32_t* first = nullptr;
  float* weights = nullptr;
  float* strip = nullptr;               // [kStripFloats][lines], 64-byte aligned
  std::int32_t* row_weights = nullptr;  // [lines][kMaxTaps / 2], two weights of 16 bits each

  const float* weights_of(std::uint32_t pixel) const noexcept {
    return weights + std::size_t{pixel} * num_taps;
  }
};

/// Bytes that a table for lines of so many pixels takes, aligned as it needs.
std::size_t filter_table_bytes(std::uint32_t line_px) noexcept;

/// Lays the table into `scratch` and fills in the columns; false where scratch, taps or weights are
/// more than there is room for.
bool make_filter_table(const FilterPass& pass, std::span<std::byte> scratch,
                       FilterTable& table) noexcept;

}  // namespace penstock::augment
