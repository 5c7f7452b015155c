#include "tools/convert/image/tiff_picture.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "tools/convert/image/picture_rows.h"
#include "tools/convert/image/tiff_file.h"
#include "tools/convert/image/tiff_samples.h"
#include "tools/convert/image/tiff_tags.h"

namespace penstock::convert {
namespace {

// Strips of small pictures, libtiff's directory and the state of its codecs.
constexpr std::uint64_t kFixedBytes = 1u << 20;
// Tiles are padded: a small picture may lie in one of this size.
constexpr std::uint64_t kHarmlessTileBytes = 16u << 20;
constexpr std::uint64_t kRgbaBytes = 4;

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}
std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

// Where a row of samples, or a part of one, belongs.
struct Place {
  unsigned plane = 0;
  std::uint32_t y = 0;
  std::uint32_t x = 0;
  std::uint32_t num_px = 0;
};

// Hands every row of every strip to `take`; false when libtiff finds damage.
template <class Take>
bool each_strip_row(const TiffFile& file, const TiffSamples& samples, const DeclaredSize& size,
                    Take take) {
  const auto row_bytes = static_cast<std::size_t>(TIFFScanlineSize(file.get()));
  if (row_bytes < samples.packed_bytes(size.width_px) || row_bytes > file.most_bytes_at_once()) {
    return false;
  }
  std::vector<std::uint8_t> row(row_bytes);
  const unsigned num_planes = samples.has_planes ? samples.num_used : 1;
  for (unsigned plane = 0; plane < num_planes; ++plane) {
    for (std::uint32_t y = 0; y < size.height_px; ++y) {
      const auto sample = static_cast<std::uint16_t>(plane);
      if (TIFFReadScanline(file.get(), row.data(), y, sample) < 0 || file.has_complaint()) {
        return false;
      }
      take(Place{plane, y, 0, static_cast<std::uint32_t>(size.width_px)}, row);
    }
  }
  return true;
}

template <class Take>
bool each_tile_row(const TiffFile& file, const TiffSamples& samples, const DeclaredSize& size,
                   Take take) {
  const std::uint32_t tile_width_px = file.long_tag(TIFFTAG_TILEWIDTH, 0);
  const std::uint32_t tile_height_px = file.long_tag(TIFFTAG_TILELENGTH, 0);
  const auto row_bytes = static_cast<std::size_t>(TIFFTileRowSize(file.get()));
  const auto tile_bytes = static_cast<std::size_t>(TIFFTileSize(file.get()));
  if (tile_width_px == 0 || tile_height_px == 0 || tile_bytes > file.most_bytes_at_once() ||
      row_bytes < samples.packed_bytes(tile_width_px) || tile_bytes / tile_height_px < row_bytes) {
    return false;
  }
  std::vector<std::uint8_t> tile(tile_bytes);
  const auto width_px = static_cast<std::uint32_t>(size.width_px);
  const auto height_px = static_cast<std::uint32_t>(size.height_px);
  const unsigned num_planes = samples.has_planes ? samples.num_used : 1;
  for (unsigned plane = 0; plane < num_planes; ++plane) {
    for (std::uint64_t top = 0; top < height_px; top += tile_height_px) {
      for (std::uint64_t left = 0; left < width_px; left += tile_width_px) {
        const auto y = static_cast<std::uint32_t>(top);
        const auto x = static_cast<std::uint32_t>(left);
        const auto sample = static_cast<std::uint16_t>(plane);
        if (TIFFReadTile(file.get(), tile.data(), x, y, 0, sample) < 0 || file.has_complaint()) {
          return false;
        }
        for (std::uint32_t i = 0; i < std::min(tile_height_px, height_px - y); ++i) {
          take(Place{plane, y + i, x, std::min(tile_width_px, width_px - x)},
               std::span(tile).subspan(i * row_bytes, row_bytes));
        }
      }
    }
  }
  return true;
}

template <class Take>
bool each_row(const TiffFile& file, const TiffSamples& samples, const DeclaredSize& size,
              Take take) {
  return TIFFIsTiled(file.get()) != 0 ? each_tile_row(file, samples, size, take)
                                      : each_strip_row(file, samples, size, take);
}

DecodeOutcome decode_samples(const TiffFile& file, const TiffSamples& samples,
                             const DeclaredSize& size, const RgbColour& background) {
  PictureRows rows(size, samples.row_kind, background);
  rows.set_had_16_bits(samples.num_bits > 8);
  std::vector<std::uint8_t> coloured(size.width_px * num_samples(samples.row_kind));
  const auto put = [&](const Place& place, std::span<const std::uint8_t> unpacked) {
    const auto part = std::span(coloured).first(place.num_px * num_samples(samples.row_kind));
    samples.colour(unpacked, part);
    rows.put(place.y, place.x, part);
  };
  // Together or, where planes come one after the other, all of the picture.
  const std::size_t row_samples = size.width_px * samples.num_used;
  std::vector<std::uint8_t> held(row_samples * (samples.has_planes ? size.height_px : 1));
  const auto take = [&](const Place& place, std::span<const std::uint8_t> packed) {
    const std::size_t row = samples.has_planes ? place.y * row_samples : 0;
    const auto unpacked = std::span(held).subspan(row + place.x * std::size_t{samples.num_used},
                                                  place.num_px * std::size_t{samples.num_used});
    samples.unpack(packed, place.plane, unpacked);
    if (!samples.has_planes) put(place, unpacked);
  };
  if (!each_row(file, samples, size, take)) {
    return file.complaint("TIFF whose strips or tiles are not as its tags say");
  }
  if (samples.has_planes) {
    for (std::uint32_t y = 0; y < size.height_px; ++y) {
      put({.y = y, .num_px = static_cast<std::uint32_t>(size.width_px)},
          std::span(held).subspan(y * row_samples, row_samples));
    }
  }
  return rows.take();
}

// Libtiff's object for RGB.
class RgbaImage {
 public:
  RgbaImage(const TiffFile& file, std::array<char, 1024>& why)
      : is_open_(TIFFRGBAImageBegin(&image_, file.get(), 1, why.data()) == 1) {
    image_.req_orientation = image_.orientation;  // as they are stored
  }
  RgbaImage(const RgbaImage&) = delete;
  RgbaImage& operator=(const RgbaImage&) = delete;
  ~RgbaImage() {
    if (is_open_) TIFFRGBAImageEnd(&image_);
  }

  bool is_open() const { return is_open_; }
  bool has_alpha() const { return image_.alpha != 0; }
  bool read(std::vector<std::uint32_t>& abgr) {
    return TIFFRGBAImageGet(&image_, abgr.data(), image_.width, image_.height) == 1;
  }

 private:
  TIFFRGBAImage image_{};
  bool is_open_ = false;
};

DecodeOutcome decode_by_libtiff(const TiffFile& file, const DeclaredSize& size,
                                const RgbColour& background) {
  std::array<char, 1024> why{};
  if (TIFFRGBAImageOK(file.get(), why.data()) == 0) {
    return fmt::format("a picture with what libtiff does not read: {}", why.data());
  }
  RgbaImage image(file, why);
  if (!image.is_open()) return fmt::format("libtiff: {}", why.data());
  std::vector<std::uint32_t> abgr(size.num_px());
  if (!image.read(abgr) || file.has_complaint()) return file.complaint("libtiff gave no picture");
  const bool has_alpha = image.has_alpha();
  PictureRows rows(size, has_alpha ? RowKind::kRgbPremultiplied : RowKind::kRgb, background);
  std::vector<std::uint8_t> row(size.width_px * (has_alpha ? 4 : 3));
  for (std::uint32_t y = 0; y < size.height_px; ++y) {
    std::uint8_t* out = row.data();
    for (std::uint32_t x = 0; x < size.width_px; ++x) {
      const std::uint32_t pixel = abgr[y * size.width_px + x];
      *out++ = static_cast<std::uint8_t>(TIFFGetR(pixel));
      *out++ = static_cast<std::uint8_t>(TIFFGetG(pixel));
      *out++ = static_cast<std::uint8_t>(TIFFGetB(pixel));
      if (has_alpha) *out++ = static_cast<std::uint8_t>(TIFFGetA(pixel));
    }
    rows.put(y, 0, row);
  }
  return rows.take();
}

struct TileSize {
  std::uint64_t num_px = 0;  // 0: no tiles
  std::uint64_t stored_bytes = 0;
};

std::uint64_t stored_bytes_per_px(std::span<const std::byte> tiff) noexcept {
  const std::uint64_t bits = read_first_tiff_value(tiff, TiffTag::kBitsPerSample).value_or(1);
  const std::uint64_t samples = read_tiff_tag(tiff, TiffTag::kSamplesPerPixel).value_or(1);
  return times(bits, samples) / 8 + 1;
}

TileSize tile_size(std::span<const std::byte> tiff) noexcept {
  const std::uint64_t width_px = read_tiff_tag(tiff, TiffTag::kTileWidth).value_or(0);
  const std::uint64_t height_px = read_tiff_tag(tiff, TiffTag::kTileLength).value_or(0);
  const std::uint64_t num_px = times(width_px, height_px);
  return {num_px, times(num_px, stored_bytes_per_px(tiff))};
}

}  // namespace

std::uint64_t tiff_decoding_bytes(std::span<const std::byte> tiff) noexcept {
  const auto size = read_declared_size(ImageFormat::kTiff, tiff);
  if (!size) return 0;
  // The pixels, those of a strip as stored and as RGBA; a tile, once more as libtiff may hold it.
  constexpr std::uint64_t kPixelBytes = 3;
  const std::uint64_t strips =
      times(size->num_px(), kPixelBytes + kRgbaBytes + stored_bytes_per_px(tiff));
  const TileSize tile = tile_size(tiff);
  const std::uint64_t tiles =
      plus(times(tile.num_px, kRgbaBytes), times(tile.stored_bytes, tile.num_px > 0 ? 2 : 0));
  return plus(plus(strips, tiles), kFixedBytes);
}

DecodeOutcome decode_tiff_picture(std::span<const std::byte> tiff, const DeclaredSize& declared,
                                  const RgbColour& background) {
  const TileSize tile = tile_size(tiff);
  if (tile.stored_bytes > kHarmlessTileBytes && tile.num_px / 4 > declared.num_px()) {
    return fmt::format("TIFF with tiles of {} pixels for a picture of {}", tile.num_px,
                       declared.num_px());
  }
  const TiffFile file(tiff, tiff_decoding_bytes(tiff));
  if (!file.is_open()) return file.complaint("libtiff does not open it");
  const DeclaredSize found{file.long_tag(TIFFTAG_IMAGEWIDTH, 0),
                           file.long_tag(TIFFTAG_IMAGELENGTH, 0)};
  if (auto why = other_sides(declared, found)) return *std::move(why);
  auto samples = read_tiff_samples(file);
  if (auto* const why = std::get_if<std::string>(&samples)) return std::move(*why);
  if (std::holds_alternative<TiffRgbOnly>(samples)) {
    return decode_by_libtiff(file, declared, background);
  }
  return decode_samples(file, std::get<TiffSamples>(samples), declared, background);
}

std::string libtiff_version() {
  // "LIBTIFF, Version 4.5.0\nCopyright ..."
  const std::string_view text = TIFFGetVersion();
  const std::size_t begin = std::min(text.find_first_of("0123456789"), text.size());
  const std::string_view rest = text.substr(begin);
  return std::string(rest.substr(0, rest.find_first_not_of("0123456789.")));
}

}  // namespace penstock::convert
