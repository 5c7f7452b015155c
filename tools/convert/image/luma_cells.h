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

/// Cell i of a side of n pixels is what lies from i n / 32 to (i + 1) n / 32 of it; a pixel on the border counts
/// for each by its share. So a picture and the same one resized have the same cells but for what the
/// resizing itself changed, below 32 pixels a side too. Sums of integers: the same wherever rows are cut.
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
  // Pixels of a cell's row, and how much the first and the last count, in 1/32; those between count 32.
  struct Span {
    std::uint32_t begin_px = 0;
    std::uint32_t end_px = 0;
    std::uint32_t first_weight = 0;
    std::uint32_t last_weight = 0;  // 0: the first is the only one
  };
  using Line = std::array<std::uint64_t, kLumaSideCells>;

  Line line_of(const std::uint8_t* pixels, std::uint32_t channels) const;

  std::uint32_t width_px_ = 0;
  std::uint32_t height_px_ = 0;
  std::array<Span, kLumaSideCells> columns_;
  std::uint32_t next_row_px_ = 0;
  // Luma in 1/65536 of a level, times 1/1024 of a pixel: below 2^56.
  std::array<std::uint64_t, std::size_t{kLumaSideCells} * kLumaSideCells> sums_{};
};

/// Of a whole picture.
LumaCells luma_cells(const ImageView& image);

}  // namespace penstock::convert
