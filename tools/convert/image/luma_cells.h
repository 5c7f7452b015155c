// A picture's luma in 32 x 32 cells, summed while its rows go by: what tells how it looks, whatever its size
// and coding.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "streamer/core/image_view.h"

namespace penstock::convert {

/// Cells along each side.
inline constexpr std::uint32_t kLumaSideCells = 32;

/// Means of the cells in 1/256 of a level, row by row; 0 to 65280.
using LumaCells = std::vector<std::uint16_t>;

/// Cell i of a side of n pixels is floor(i n / 32) up to floor((i + 1) n / 32), at least one pixel: of a
/// side below 32 pixels some stand for several cells. Sums of integers: the same wherever rows are cut.
///
/// Threads  one at a time
class LumaCellSums {
 public:
  LumaCellSums(std::uint32_t width_px, std::uint32_t height_px);

  /// The next rows of the picture, of one channel or three (ITU-R BT.601).
  void add(const ImageView& rows);
  /// When all rows were added.
  LumaCells means() const;

 private:
  struct Range {
    std::uint32_t begin_px = 0;
    std::uint32_t end_px = 0;
  };
  using Ranges = std::array<Range, kLumaSideCells>;

  static Ranges ranges_of(std::uint32_t side_px);

  Ranges columns_;
  Ranges rows_;
  std::uint32_t next_row_px_ = 0;
  // Luma in 1/65536 of a level.
  std::array<std::uint64_t, std::size_t{kLumaSideCells} * kLumaSideCells> sums_{};
};

/// Of a whole picture.
LumaCells luma_cells(const ImageView& image);

}  // namespace penstock::convert
