// Where the pixels of an output row of bytes find their neighbours, in the order in which vectors of
// 16-bit values take them: the same for every row of a picture, so worked out once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "augment/warp/column_table.h"

namespace penstock::augment {

/// A unit of pixels is what fills a vector of bytes: 16 for each block of 128 bits.
///
/// Shapes  places: [units][unit_px], values of the source row from the left pixel on, its right
///         neighbour behind it; weights: [units][unit_px][channels of the source row, 4 for 3], the
///         left one's in the lower 16 bits, the right one's in the upper, 64-byte aligned
///
/// Within a unit, pixel 16 b + 4 j + k of it is at (4 j + k) num_blocks + b with three channels, where a
/// block of a vector holds a pixel; at 4 (j num_blocks + b) + k with one, where it holds four.
/// The last unit repeats the last pixel.
struct ByteTable {
  static constexpr std::uint32_t kBlockPx = 16;
  static constexpr std::uint32_t kMaxBlocks = 2;
  /// Pixels behind those of a source row: the last again, then twice the first, so that all neighbours
  /// are side by side, with FillMode::kWrap the last and the first too.
  static constexpr std::uint32_t kNumBehind = 3;

  std::uint32_t* places = nullptr;
  std::int32_t* weights = nullptr;
  std::uint32_t num_units = 0;
};

/// The same for units of 32 pixels that are picked by permutes out of windows of 64 values of a plane.
///
/// Shapes  left: [units][kUnitPx], counted from the window's first pixel, the right neighbour behind it;
///         weights: [units][kUnitPx], of the right one, multiples of 2^-15; windows: [units][2], the first
///         pixel for each half of the unit, of which there is one where both are the same; the first two
///         64-byte aligned
struct WordTable {
  static constexpr std::uint32_t kUnitPx = 32;
  static constexpr std::uint32_t kWindowPx = 64;

  std::int16_t* left = nullptr;
  std::int16_t* weights = nullptr;
  std::uint32_t* windows = nullptr;
  std::uint32_t num_units = 0;
};

/// Bytes that a table of either kind for lines of so many pixels takes, with vectors of any length.
std::size_t byte_table_bytes(std::uint32_t line_px) noexcept;

/// How vectors take pixels.
struct ByteShape {
  std::uint32_t num_blocks = 1;  // of 128 bits in a vector, kMaxBlocks at most
  std::uint32_t channels = 1;    // of the source row, 1 or 3
};

/// Fills a table in `place`, 64-byte aligned and of byte_table_bytes(). False where two neighbours are
/// other than ByteTable has them.
bool make_byte_table(const ColumnTable& columns, const ByteShape& shape, std::byte* place,
                     ByteTable& table) noexcept;

/// Likewise. False also where neighbours of half a unit do not fit into a window.
bool make_word_table(const ColumnTable& columns, std::byte* place, WordTable& table) noexcept;

}  // namespace penstock::augment
