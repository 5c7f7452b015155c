// The fuzz target of pictures that are no JPEG: what their headers say, and their decoders. Driven by
// libFuzzer (preset fuzz) or by seeded_mutations.cpp.
//
// The first byte of an input is 0 or kUnsealed: whether the checksums of a PNG are put right, or no
// mutation of one would get past them. The rest is the file. It may be refused in words; else it gives
// pixels of the sides that its header declares. Nothing allocates more at once than the price that a
// conversion draws for it.
#include <sys/mman.h>
#include <tiffio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <variant>
#include <vector>

#include "fixtures/bad_picture.h"
#include "fixtures/picture_bytes.h"
#include "tests/allocation_ceiling.h"
#include "tests/fuzz/fuzz_target.h"
#include "tools/convert/image/foreign_facts.h"
#include "tools/convert/image/foreign_image.h"
#include "tools/convert/image/gif_picture.h"
#include "tools/convert/image/image_format.h"
#include "tools/convert/image/png_structure.h"
#include "tools/convert/image/tiff_picture.h"

namespace penstock::fuzz {
namespace {

using convert::DeclaredSize;
using convert::ImageFormat;
using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kMaxPx = 256 * 1024;
// Prices above it are refused by the conversion's own limit.
constexpr std::uint64_t kMostBytes = 64u << 20;

Input as_input(const Bytes& file) {
  Input input(1, 0);
  std::transform(file.begin(), file.end(), std::back_inserter(input),
                 [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  return input;
}

struct TiffKind {
  std::uint16_t compression = COMPRESSION_NONE;
  std::uint16_t photometric = PHOTOMETRIC_RGB;
  std::uint16_t samples = 3;
  std::uint16_t bits = 8;
  std::uint16_t planar = PLANARCONFIG_CONTIG;
};

// As libtiff writes it, 24 x 16; two strips, of JPEG one.
Bytes tiff_file(const TiffKind& kind) {
  const int fd = ::memfd_create("seed", MFD_CLOEXEC);
  TIFF* const out = TIFFFdOpen(fd, "seed", "w");
  demand(out != nullptr, "a TIFF in memory");
  TIFFSetField(out, TIFFTAG_IMAGEWIDTH, 24);
  TIFFSetField(out, TIFFTAG_IMAGELENGTH, 16);
  TIFFSetField(out, TIFFTAG_BITSPERSAMPLE, kind.bits);
  TIFFSetField(out, TIFFTAG_SAMPLESPERPIXEL, kind.samples);
  TIFFSetField(out, TIFFTAG_PHOTOMETRIC, kind.photometric);
  TIFFSetField(out, TIFFTAG_PLANARCONFIG, kind.planar);
  TIFFSetField(out, TIFFTAG_COMPRESSION, kind.compression);
  TIFFSetField(out, TIFFTAG_ROWSPERSTRIP, kind.compression == COMPRESSION_JPEG ? 16 : 8);
  if (kind.compression == COMPRESSION_JPEG) {
    TIFFSetField(out, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  }
  const bool has_planes = kind.planar == PLANARCONFIG_SEPARATE;
  for (std::uint16_t plane = 0; plane < (has_planes ? kind.samples : 1); ++plane) {
    for (std::uint32_t y = 0; y < 16; ++y) {
      std::vector<std::uint8_t> row(std::size_t{24} * kind.samples * 2);
      for (std::size_t i = 0; i < row.size(); ++i) {
        row[i] = static_cast<std::uint8_t>(i * 5 + y * 11 + plane);
      }
      TIFFWriteScanline(out, row.data(), y, plane);
    }
  }
  TIFFFlush(out);
  Bytes file(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)));
  demand(::pread(fd, file.data(), file.size(), 0) == static_cast<ssize_t>(file.size()), "a seed");
  TIFFClose(out);
  return file;
}

void check_picture(std::span<const std::byte> file) {
  const ImageFormat format = convert::detect_format(file);
  if (!convert::is_foreign_format(format)) return;
  const convert::ForeignFacts facts = convert::read_foreign_facts(format, file);
  if (facts.fault || facts.size.num_px() > kMaxPx) return;
  const std::span<const std::byte> decoded =
      facts.rebuilt.empty() ? file : std::span<const std::byte>(facts.rebuilt);
  std::uint64_t price = facts.size.num_px() * 12;
  if (format == ImageFormat::kTiff) price = std::max(price, convert::tiff_decoding_bytes(decoded));
  if (format == ImageFormat::kGif) price = std::max(price, convert::gif_decoding_bytes(facts.size));
  if (price > kMostBytes) return;
  // Words and rows besides.
  const tests::AllocationCeiling ceiling(price + (64u << 10));
  const convert::DecodeOutcome outcome = convert::decode_foreign_image(decoded);
  if (const auto* const why = std::get_if<std::string>(&outcome)) {
    return demand(!why->empty(), "a refusal in words");
  }
  const auto& pixels = std::get<convert::DecodedPixels>(outcome);
  // Of an animation the first frame has sides of its own.
  const auto size = convert::read_declared_size(format, decoded);
  demand(size == DeclaredSize{pixels.width_px, pixels.height_px}, "the sides of the header");
  demand(pixels.pixels_hwc.size() == size->num_px() * pixels.channels, "a value for every pixel");
}

}  // namespace

const char* target_name() {
  return "picture_fuzz";
}

std::vector<Input> target_seeds() {
  constexpr std::size_t kMostSeedBytes = 4096;
  std::vector<Input> seeds;
  for (const auto& pictures : {fixtures::bad_pngs(), fixtures::bad_bitmaps(), fixtures::bad_webps(),
                               fixtures::bad_gifs()}) {
    for (const fixtures::BadPicture& picture : pictures) {
      if (picture.bytes.size() <= kMostSeedBytes) seeds.push_back(as_input(picture.bytes));
    }
  }
  for (const TiffKind& kind :
       {TiffKind{.compression = COMPRESSION_LZW},
        TiffKind{.compression = COMPRESSION_ADOBE_DEFLATE, .bits = 16},
        TiffKind{.compression = COMPRESSION_PACKBITS, .planar = PLANARCONFIG_SEPARATE},
        TiffKind{.compression = COMPRESSION_JPEG, .photometric = PHOTOMETRIC_YCBCR},
        TiffKind{.photometric = PHOTOMETRIC_SEPARATED, .samples = 4},
        TiffKind{.compression = COMPRESSION_CCITTFAX4,
        .photometric = PHOTOMETRIC_MINISWHITE,
        .samples = 1,
        .bits = 1}}) {
    seeds.push_back(as_input(tiff_file(kind)));
  }
  // Runs of 8 bit: three pixels, the end of the line, the end.
  Bytes runs = fixtures::bytes_of("BM");
  for (const std::uint32_t number : {66u, 0u, 58u, 40u, 3u, 1u, 1u | 8u << 16, 1u, 8u, 0u, 0u, 1u,
                                     0u, 0x00102030u, 3u, 0x0100u}) {
    fixtures::append_little(runs, number, 4);
  }
  seeds.push_back(as_input(runs));
  for (const char* text : {"P1\n3 2\n010 110", "P2\n3 1\n15\n1 2 3\n", "P3\n1 1\n255\n1 2 3\n",
                           "P6\n1 1\n65535\nabcdef"}) {
    seeds.push_back(as_input(fixtures::bytes_of(text)));
  }
  return seeds;
}

}  // namespace penstock::fuzz

using namespace penstock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::vector<std::byte> file(size - 1);
  std::transform(data + 1, data + size, file.begin(), [](std::uint8_t b) { return std::byte{b}; });
  const bool is_sealed = (data[0] & fuzz::kUnsealed) == 0;
  if (is_sealed && convert::detect_format(file) == convert::ImageFormat::kPng) {
    file = convert::plain_png(file);
  }
  fuzz::check_picture(file);
  return 0;
}
