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
    : width_px_(width_px), height_px_(height_px) {
  for (std::uint32_t c = 0; c < kLumaSideCells; ++c) {
    // In 1/32 of a pixel; of 65535 pixels below 2^21.
    const std::uint32_t begin = c * width_px;
    const std::uint32_t end = begin + width_px;
    Span& span = columns_[c];
    span.begin_px = begin / kLumaSideCells;
    span.end_px = (end + kLumaSideCells - 1) / kLumaSideCells;
    span.first_weight = std::min(end, (span.begin_px + 1) * kLumaSideCells) - begin;
    if (span.end_px - span.begin_px > 1) {
      span.last_weight = end - (span.end_px - 1) * kLumaSideCells;
    }
  }
}

LumaCellSums::Line LumaCellSums::line_of(const std::uint8_t* pixels, std::uint32_t channels) const {
  Line line{};
  for (std::size_t c = 0; c < kLumaSideCells; ++c) {
    const Span& span = columns_[c];
    const std::uint8_t* const first = pixels + std::size_t{span.begin_px} * channels;
    line[c] = span.first_weight * luma_of_run(first, 1, channels);
    if (span.last_weight == 0) continue;
    const std::uint32_t num_between = span.end_px - span.begin_px - 2;
    const std::uint8_t* const last = pixels + (std::size_t{span.end_px} - 1) * channels;
    line[c] += kLumaSideCells * luma_of_run(first + channels, num_between, channels) +
               span.last_weight * luma_of_run(last, 1, channels);
  }
  return line;
}

void LumaCellSums::add(const ImageView& rows) {
  for (std::uint32_t y = 0; y < rows.height_px; ++y, ++next_row_px_) {
    const Line line = line_of(rows.row(y), rows.channels);
    const std::uint32_t begin = next_row_px_ * kLumaSideCells;
    const std::uint32_t end = begin + kLumaSideCells;
    for (std::uint32_t r = begin / height_px_; r * height_px_ < end; ++r) {
      const std::uint32_t weight =
          std::min(end, (r + 1) * height_px_) - std::max(begin, r * height_px_);
      for (std::size_t c = 0; c < kLumaSideCells; ++c) {
        sums_[r * kLumaSideCells + c] += weight * line[c];
      }
    }
  }
}

LumaCells LumaCellSums::means() const {
  LumaCells means(sums_.size());
  const std::uint64_t num_units = std::uint64_t{width_px_} * height_px_;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    means[i] = static_cast<std::uint16_t>(sums_[i] / (num_units << 8));
  }
  return means;
}

LumaCells luma_cells(const ImageView& image) {
  LumaCellSums sums(image.width_px, image.height_px);
  sums.add(image);
  return sums.means();
}

}  // namespace penstock::convert
