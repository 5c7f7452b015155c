#include "tools/convert/image/luma_cells.h"

#include <algorithm>

namespace penstock::convert {
namespace {

std::uint64_t luma_of_run(const std::uint8_t* pixels, std::uint32_t num_px,
                          std::uint32_t channels) {
  if (channels == 1) {
    std::uint64_t sum = 0;
    for (std::uint32_t x = 0; x < num_px; ++x) sum += pixels[x];
    return sum << 16;
  }
  // A side has at most 65535 pixels: their sum fits 32 bits.
  std::uint32_t red = 0;
  std::uint32_t green = 0;
  std::uint32_t blue = 0;
  for (std::uint32_t x = 0; x < num_px; ++x, pixels += 3) {
    red += pixels[0];
    green += pixels[1];
    blue += pixels[2];
  }
  return std::uint64_t{19595} * red + std::uint64_t{38470} * green + std::uint64_t{7471} * blue;
}

}  // namespace

LumaCellSums::LumaCellSums(std::uint32_t width_px, std::uint32_t height_px)
    : columns_(ranges_of(width_px)), rows_(ranges_of(height_px)) {}

LumaCellSums::Ranges LumaCellSums::ranges_of(std::uint32_t side_px) {
  Ranges ranges;
  for (std::uint32_t i = 0; i < kLumaSideCells; ++i) {
    const auto at = [&](std::uint64_t cell) {
      return static_cast<std::uint32_t>(cell * side_px / kLumaSideCells);
    };
    ranges[i] = {at(i), std::max(at(i + 1), at(i) + 1)};
  }
  return ranges;
}

void LumaCellSums::add(const ImageView& rows) {
  std::array<std::uint64_t, kLumaSideCells> line{};
  for (std::uint32_t y = 0; y < rows.height_px; ++y, ++next_row_px_) {
    for (std::size_t c = 0; c < kLumaSideCells; ++c) {
      const Range& range = columns_[c];
      line[c] = luma_of_run(rows.row(y) + std::size_t{range.begin_px} * rows.channels,
                            range.end_px - range.begin_px, rows.channels);
    }
    for (std::size_t r = 0; r < kLumaSideCells; ++r) {
      if (next_row_px_ < rows_[r].begin_px || next_row_px_ >= rows_[r].end_px) continue;
      for (std::size_t c = 0; c < kLumaSideCells; ++c) sums_[r * kLumaSideCells + c] += line[c];
    }
  }
}

LumaCells LumaCellSums::means() const {
  LumaCells means(sums_.size());
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    const Range& row = rows_[i / kLumaSideCells];
    const Range& column = columns_[i % kLumaSideCells];
    const std::uint64_t num_px =
        std::uint64_t{row.end_px - row.begin_px} * (column.end_px - column.begin_px);
    means[i] = static_cast<std::uint16_t>(sums_[i] / (num_px << 8));
  }
  return means;
}

LumaCells luma_cells(const ImageView& image) {
  LumaCellSums sums(image.width_px, image.height_px);
  sums.add(image);
  return sums.means();
}

}  // namespace penstock::convert
