// Which floats of a blended source row make each vector of an output row: the same for every row of
// a picture, so worked out once, for vectors of a given length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "augment/warp/column_table.h"

namespace penstock::augment {

/// How rows are seen: pixel by pixel (1), or with their channels interleaved, as floats one beside
/// the other.
struct PickShape {
  std::uint32_t lanes = 0;         // floats of a vector, a power of two of at most 16
  std::uint32_t out_channels = 1;  // floats of an output pixel
  std::uint32_t row_channels = 1;  // floats of a source pixel, 1 or out_channels
};

/// One vector of an output row.
struct PickVector {
  std::uint32_t at = 0;           // its first float in the output row
  std::int32_t base = 0;          // first float of the source row that its indices count from
  std::uint32_t num_vectors = 0;  // vectors of the source row, from base, that hold all neighbours
};

/// Shapes  left, right, weight: [vectors.size()][lanes], 64-byte aligned
struct PickTable {
  std::span<PickVector> vectors;
  std::int32_t* left = nullptr;  // counted from the vector's base
  std::int32_t* right = nullptr;
  float* weight = nullptr;
};

/// Bytes that a table for lines of so many pixels takes, with vectors of any length.
std::size_t pick_table_bytes(std::uint32_t line_px) noexcept;

/// Fills a table in `place`, 64-byte aligned and of pick_table_bytes(). The last vector ends with
/// the pixels that show the picture, and repeats some of the one before it; `base` is a multiple of
/// `lanes`. Needs as many floats as a vector has in these pixels.
PickTable make_pick_table(const ColumnTable& columns, const PickShape& shape,
                          std::byte* place) noexcept;

}  // namespace penstock::augment
