#include "tools/convert/image/picture_bytes_writer.h"

#include <algorithm>
#include <utility>

#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/upright.h"
#include "tools/png_writer.h"

namespace penstock::convert {
namespace {

std::vector<std::byte> as_stored(std::span<const std::uint8_t> values) {
  const auto bytes = std::as_bytes(values);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

SidesPx PictureForm::stored_sides() const noexcept {
  SidesPx sides = writing.sides;
  if (upright_steps(turned_by).is_transposed) std::swap(sides.width_px, sides.height_px);
  return sides;
}

void PictureBytesWriter::begin(const PictureForm& form) {
  form_ = form;
  pixels_ = {};
  if (!form.holds_pixels()) return jpeg_.begin(form.writing);
  pixels_.width_px = form.writing.sides.width_px;
  pixels_.height_px = form.writing.sides.height_px;
  pixels_.channels = form.writing.channels;
  pixels_.pixels_hwc.reserve(form.writing.sides.num_px() * form.writing.channels);
}

void PictureBytesWriter::add(const ImageView& rows) {
  if (!form_.holds_pixels()) return jpeg_.add(rows);
  for (std::uint32_t y = 0; y < rows.height_px; ++y) {
    const std::uint8_t* const row = rows.row(y);
    pixels_.pixels_hwc.insert(pixels_.pixels_hwc.end(), row,
                              row + std::size_t{rows.width_px} * rows.channels);
  }
}

std::vector<std::byte> PictureBytesWriter::finish() {
  if (!form_.holds_pixels()) return jpeg_.finish();
  if (form_.turned_by != 1) pixels_ = turned_upright(pixels_, form_.turned_by);
  if (form_.codec == Codec::kPng) {
    std::vector<std::byte> exif;
    if (form_.writing.orientation != 1) exif = orientation_tiff(form_.writing.orientation);
    std::vector<std::byte> png = tools::encode_png(pixels_.view(), exif);
    pixels_ = {};
    return png;
  }
  if (form_.codec == Codec::kRaw) {
    std::vector<std::byte> raw = as_stored(pixels_.pixels_hwc);
    pixels_ = {};
    return raw;
  }
  JpegWriting writing = form_.writing;
  writing.sides = form_.stored_sides();
  if (upright_steps(form_.turned_by).is_transposed) std::swap(writing.chroma.x, writing.chroma.y);
  jpeg_.begin(writing);
  jpeg_.add(pixels_.view());
  pixels_ = {};
  return jpeg_.finish();
}

}  // namespace penstock::convert
