// TIFF of every kind that is read, written by libtiff; expected values by TIFF 6.0, and what OpenCV reads.
#include "tools/convert/image/tiff_picture.h"

#include <tiffio.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <variant>

#include "tests/temporary_folder.h"
#include "tests/tools/convert/image/opencv_picture.h"

namespace penstock::convert {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint32_t kWidthPx = 37;
constexpr std::uint32_t kHeightPx = 21;
constexpr RgbColour kBackground{.red = 20, .green = 130, .blue = 240};

struct Tiff {
  unsigned bits = 8;
  unsigned samples = 1;
  unsigned photometric = PHOTOMETRIC_MINISBLACK;
  unsigned planar = PLANARCONFIG_CONTIG;
  unsigned compression = COMPRESSION_NONE;
  unsigned tile_px = 0;  // 0: strips of 5 rows
  int extra = -1;        // kind of the sample behind the colours
  bool is_big_endian = false;
};

// A sample of the pattern, over all its range.
unsigned value_of(const Tiff& tiff, std::uint32_t y, std::uint32_t x, unsigned s) {
  return (x * 2654435761u + y * 40503u * 131u + s * 7919u * 77u) >> 7 & ((1u << tiff.bits) - 1);
}

// A row as it is stored; of one plane, or of all samples.
std::vector<std::uint8_t> packed_row(const Tiff& tiff, std::uint32_t y, std::uint32_t x,
                                     std::uint32_t num_px, int plane) {
  const unsigned first = plane < 0 ? 0 : static_cast<unsigned>(plane);
  const unsigned end = plane < 0 ? tiff.samples : first + 1;
  std::vector<std::uint8_t> row((std::size_t{num_px} * (end - first) * tiff.bits + 7) / 8);
  std::size_t bit = 0;
  for (std::uint32_t i = 0; i < num_px; ++i) {
    for (unsigned s = first; s < end; ++s) {
      const unsigned value = value_of(tiff, y, x + i, s);
      if (tiff.bits == 16) {  // libtiff takes words of this machine
        const auto word = static_cast<std::uint16_t>(value);
        std::memcpy(&row[bit / 8], &word, 2);
        bit += 16;
        continue;
      }
      for (unsigned b = tiff.bits; b-- > 0; ++bit) {
        row[bit / 8] = static_cast<std::uint8_t>(row[bit / 8] | (value >> b & 1) << (7 - bit % 8));
      }
    }
  }
  return row;
}

std::uint16_t palette_value(unsigned index, unsigned channel) {
  return static_cast<std::uint16_t>((index * 31 + channel * 85) % 256 * 257);
}

void write_strips(TIFF* out, const Tiff& tiff, int plane) {
  for (std::uint32_t y = 0; y < kHeightPx; ++y) {
    auto row = packed_row(tiff, y, 0, kWidthPx, plane);
    const auto sample = static_cast<std::uint16_t>(std::max(plane, 0));
    BOOST_REQUIRE(TIFFWriteScanline(out, row.data(), y, sample) == 1);
  }
}

void write_tiles(TIFF* out, const Tiff& tiff, int plane) {
  for (std::uint32_t top = 0; top < kHeightPx; top += tiff.tile_px) {
    for (std::uint32_t left = 0; left < kWidthPx; left += tiff.tile_px) {
      std::vector<std::uint8_t> tile;
      for (std::uint32_t i = 0; i < tiff.tile_px; ++i) {
        const auto row = packed_row(tiff, top + i, left, tiff.tile_px, plane);
        tile.insert(tile.end(), row.begin(), row.end());
      }
      const auto sample = static_cast<std::uint16_t>(std::max(plane, 0));
      BOOST_REQUIRE(TIFFWriteTile(out, tile.data(), left, top, 0, sample) > 0);
    }
  }
}

Bytes tiff_file(const Tiff& tiff) {
  const tests::TemporaryFolder folder;
  const std::string path = (folder.path() / "a.tif").string();
  TIFF* const out = TIFFOpen(path.c_str(), tiff.is_big_endian ? "wb" : "wl");
  BOOST_REQUIRE(out != nullptr);
  TIFFSetField(out, TIFFTAG_IMAGEWIDTH, kWidthPx);
  TIFFSetField(out, TIFFTAG_IMAGELENGTH, kHeightPx);
  TIFFSetField(out, TIFFTAG_BITSPERSAMPLE, tiff.bits);
  TIFFSetField(out, TIFFTAG_SAMPLESPERPIXEL, tiff.samples);
  TIFFSetField(out, TIFFTAG_PHOTOMETRIC, tiff.photometric);
  TIFFSetField(out, TIFFTAG_PLANARCONFIG, tiff.planar);
  TIFFSetField(out, TIFFTAG_COMPRESSION, tiff.compression);
  if (tiff.photometric == PHOTOMETRIC_YCBCR) {
    TIFFSetField(out, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  }
  if (tiff.extra >= 0) {
    const auto kind = static_cast<std::uint16_t>(tiff.extra);
    TIFFSetField(out, TIFFTAG_EXTRASAMPLES, 1, &kind);
  }
  if (tiff.photometric == PHOTOMETRIC_PALETTE) {
    std::vector<std::uint16_t> palette[3];
    for (unsigned c = 0; c < 3; ++c) {
      for (unsigned i = 0; i < 1u << tiff.bits; ++i) palette[c].push_back(palette_value(i, c));
    }
    TIFFSetField(out, TIFFTAG_COLORMAP, palette[0].data(), palette[1].data(), palette[2].data());
  }
  if (tiff.tile_px > 0) {
    TIFFSetField(out, TIFFTAG_TILEWIDTH, tiff.tile_px);
    TIFFSetField(out, TIFFTAG_TILELENGTH, tiff.tile_px);
  } else {
    TIFFSetField(out, TIFFTAG_ROWSPERSTRIP, tiff.compression == COMPRESSION_JPEG ? 16 : 5);
  }
  const bool has_planes = tiff.planar == PLANARCONFIG_SEPARATE;
  for (int plane = has_planes ? 0 : -1; plane < (has_planes ? static_cast<int>(tiff.samples) : 0);
       ++plane) {
    tiff.tile_px > 0 ? write_tiles(out, tiff, plane) : write_strips(out, tiff, plane);
  }
  TIFFClose(out);
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

DecodeOutcome decode(const Bytes& file) {
  return decode_tiff_picture(file, *read_declared_size(ImageFormat::kTiff, file), kBackground);
}

DecodedPixels decoded(const Bytes& file) {
  DecodeOutcome outcome = decode(file);
  if (const auto* const why = std::get_if<std::string>(&outcome)) BOOST_FAIL(*why);
  return std::get<DecodedPixels>(std::move(outcome));
}

double scaled(const Tiff& tiff, std::uint32_t y, std::uint32_t x, unsigned s) {
  return std::round(value_of(tiff, y, x, s) * 255.0 / ((1u << tiff.bits) - 1));
}

// What TIFF 6.0 makes of a pixel: sections 4 to 6, 16 and 18.
double expected(const Tiff& tiff, std::uint32_t y, std::uint32_t x, unsigned c) {
  const unsigned behind[] = {kBackground.red, kBackground.green, kBackground.blue};
  const bool is_gray = tiff.photometric <= PHOTOMETRIC_MINISBLACK;
  const unsigned num_colours = is_gray ? 1 : 3;
  double value = scaled(tiff, y, x, is_gray ? 0 : c);
  if (tiff.photometric == PHOTOMETRIC_MINISWHITE) value = 255 - value;
  if (tiff.photometric == PHOTOMETRIC_PALETTE) {
    value = palette_value(value_of(tiff, y, x, 0), c) / 257.0;
  }
  if (tiff.photometric == PHOTOMETRIC_SEPARATED) {
    value = std::floor((255 - scaled(tiff, y, x, 3)) * (255 - value) / 255);
  }
  if (tiff.extra <= 0) return value;
  const double alpha = scaled(tiff, y, x, num_colours);
  if (tiff.extra == EXTRASAMPLE_UNASSALPHA) {
    return std::round((value * alpha + behind[c] * (255 - alpha)) / 255);
  }
  return std::min(255.0, value + std::round(behind[c] * (255 - alpha) / 255));
}

void check_pixels(const Tiff& tiff) {
  const DecodedPixels found = decoded(tiff_file(tiff));
  const bool is_gray = tiff.photometric <= PHOTOMETRIC_MINISBLACK && tiff.extra <= 0;
  BOOST_REQUIRE(found.width_px == kWidthPx && found.height_px == kHeightPx);
  BOOST_REQUIRE(found.channels == (is_gray ? 1u : 3u));
  BOOST_TEST(found.had_alpha == (tiff.extra > 0));
  BOOST_TEST(found.had_16_bits == (tiff.bits > 8));
  int num_wrong = 0;
  std::size_t i = 0;
  for (std::uint32_t y = 0; y < kHeightPx; ++y) {
    for (std::uint32_t x = 0; x < kWidthPx; ++x) {
      for (unsigned c = 0; c < found.channels; ++c) {
        num_wrong += found.pixels_hwc[i++] != expected(tiff, y, x, c);
      }
    }
  }
  BOOST_TEST(num_wrong == 0, tiff.bits << " bit, " << tiff.samples << " samples, photometric "
                                       << tiff.photometric << ", planar " << tiff.planar
                                       << ", tile " << tiff.tile_px << ", extra " << tiff.extra);
}

// Together and apart, in strips and in tiles.
void check_layouts(Tiff tiff) {
  for (const unsigned tile_px : {0u, 16u, 64u}) {
    for (const unsigned planar : {PLANARCONFIG_CONTIG, PLANARCONFIG_SEPARATE}) {
      tiff.tile_px = tile_px;
      tiff.planar = planar;
      check_pixels(tiff);
    }
  }
}

BOOST_AUTO_TEST_SUITE(tiff_picture)

BOOST_AUTO_TEST_CASE(gray_of_1_to_16_bit_either_way_round) {
  for (const unsigned bits : {1u, 2u, 4u, 8u, 10u, 12u, 14u, 16u}) {
    for (const unsigned photometric : {PHOTOMETRIC_MINISWHITE, PHOTOMETRIC_MINISBLACK}) {
      check_layouts({.bits = bits, .photometric = photometric});
    }
  }
}

BOOST_AUTO_TEST_CASE(colours_of_2_to_16_bit_and_palettes_and_four_inks) {
  for (const unsigned bits : {2u, 4u, 8u, 12u, 16u}) {
    check_layouts({.bits = bits, .samples = 3, .photometric = PHOTOMETRIC_RGB});
  }
  for (const unsigned bits : {1u, 2u, 4u, 8u}) {
    check_layouts({.bits = bits, .photometric = PHOTOMETRIC_PALETTE});
  }
  for (const unsigned bits : {8u, 16u}) {
    check_layouts({.bits = bits, .samples = 4, .photometric = PHOTOMETRIC_SEPARATED});
  }
}

BOOST_AUTO_TEST_CASE(alpha_is_multiplied_in_once_and_other_samples_are_passed_over) {
  for (const unsigned bits : {8u, 16u}) {
    for (const int extra :
         {EXTRASAMPLE_UNSPECIFIED, EXTRASAMPLE_ASSOCALPHA, EXTRASAMPLE_UNASSALPHA}) {
      check_layouts({.bits = bits, .samples = 2, .extra = extra});
      if (extra == EXTRASAMPLE_UNSPECIFIED) continue;
      check_layouts({.bits = bits, .samples = 4, .photometric = PHOTOMETRIC_RGB, .extra = extra});
    }
  }
}

BOOST_AUTO_TEST_CASE(every_lossless_coding_and_both_byte_orders) {
  for (const unsigned compression :
       {COMPRESSION_LZW, COMPRESSION_PACKBITS, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE}) {
    check_layouts({.compression = compression});
    check_layouts({.bits = 16,
                   .samples = 3,
                   .photometric = PHOTOMETRIC_RGB,
                   .compression = compression,
                   .is_big_endian = true});
  }
  check_pixels({.bits = 1, .compression = COMPRESSION_CCITTFAX4});
}

BOOST_AUTO_TEST_CASE(pixels_are_those_that_opencv_reads) {
  for (const Tiff& tiff :
       {Tiff{.bits = 8}, Tiff{.bits = 8, .photometric = PHOTOMETRIC_MINISWHITE}, Tiff{.bits = 1},
        Tiff{.bits = 8, .photometric = PHOTOMETRIC_PALETTE}, Tiff{.bits = 16},
        Tiff{.bits = 8, .samples = 3, .photometric = PHOTOMETRIC_RGB},
        Tiff{.bits = 16, .samples = 3, .photometric = PHOTOMETRIC_RGB},
        Tiff{.bits = 8,
        .samples = 3,
        .photometric = PHOTOMETRIC_YCBCR,
        .compression = COMPRESSION_JPEG}}) {
    const Bytes file = tiff_file(tiff);
    const auto theirs = tests::read_by_opencv(file, kBackground);
    BOOST_REQUIRE_MESSAGE(theirs.has_value(),
                          tiff.bits << " bit, photometric " << tiff.photometric);
    BOOST_CHECK_MESSAGE(decoded(file).pixels_hwc == theirs->pixels_hwc,
                        tiff.bits << " bit, photometric " << tiff.photometric);
  }
}

// CIE L*a*b*, in 8 bit.
BOOST_AUTO_TEST_CASE(what_libtiff_alone_makes_rgb_of_is_read) {
  const Bytes file =
      tiff_file({.samples = 3, .photometric = PHOTOMETRIC_CIELAB, .compression = COMPRESSION_LZW});
  const auto theirs = tests::read_by_opencv(file, kBackground);
  BOOST_REQUIRE(theirs.has_value());
  BOOST_CHECK(decoded(file).pixels_hwc == theirs->pixels_hwc);
}

BOOST_AUTO_TEST_CASE(damage_within_the_data_is_found_and_said) {
  for (const unsigned compression :
       {COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_JPEG}) {
    Bytes file = tiff_file({.samples = 3,
                            .photometric = PHOTOMETRIC_RGB,
                            .compression = compression,
                            .tile_px = compression == COMPRESSION_JPEG ? 64u : 0u});
    // Pixels stand behind the header, the directory behind them.
    for (std::size_t at = 300; at < 340; ++at) file[at] = std::byte{0xFF};
    const DecodeOutcome outcome = decode(file);
    BOOST_REQUIRE_MESSAGE(std::holds_alternative<std::string>(outcome), compression);
    BOOST_TEST(std::get<std::string>(outcome).starts_with("libtiff: "));
    BOOST_TEST(std::get<std::string>(outcome).find('\n') == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(samples_of_other_kinds_are_named) {
  const auto refusal = [](const Tiff& tiff) {
    const DecodeOutcome outcome = decode(tiff_file(tiff));
    BOOST_REQUIRE(std::holds_alternative<std::string>(outcome));
    return std::get<std::string>(outcome);
  };
  BOOST_TEST(refusal({.samples = 2, .photometric = PHOTOMETRIC_RGB}) ==
             "a picture with 2 samples of such colours");
}

// Tiles are padded: of a small picture they may not be as large as they like.
BOOST_AUTO_TEST_CASE(the_price_counts_tiles) {
  const Bytes strips = tiff_file({});
  const Bytes tiles = tiff_file({.tile_px = 256});
  const std::uint64_t num_px = kWidthPx * kHeightPx;
  BOOST_TEST(tiff_decoding_bytes(strips) >= num_px * 8);
  BOOST_TEST(tiff_decoding_bytes(tiles) - tiff_decoding_bytes(strips) >= 256u * 256u);
  BOOST_TEST(tiff_decoding_bytes({}) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
