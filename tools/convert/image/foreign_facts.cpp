#include "tools/convert/image/foreign_facts.h"

#include <fmt/core.h>

#include <algorithm>

#include "tools/convert/image/byte_reader.h"
#include "tools/convert/image/colour_gamut.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/gif_structure.h"
#include "tools/convert/image/png_structure.h"
#include "tools/convert/image/tiff_tags.h"
#include "tools/convert/image/webp_structure.h"

namespace penstock::convert {
namespace {

using Bytes = std::span<const std::byte>;

// Deflate makes at most 1032 bytes of one; other codes in these formats make less, but for pages
// that are blank and pictures of one colour, which may be as small as they like up to a size that
// does no harm.
constexpr std::uint64_t kMaxRatio = 1032;
constexpr std::uint64_t kHarmlessBytes = 64u << 20;

bool unfolds_beyond_reason(std::uint64_t num_bytes, std::uint64_t unfolded_bytes,
                           std::uint64_t max_ratio = kMaxRatio) {
  return unfolded_bytes > kHarmlessBytes && unfolded_bytes / max_ratio > num_bytes;
}

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

std::uint64_t bits_to_bytes(std::uint64_t num_bits) {
  return num_bits / 8 + (num_bits % 8 != 0 ? 1 : 0);
}

void add_fault(ForeignFacts& facts, ReasonCode reason, std::string detail) {
  if (facts.fault) return;
  facts.fault = reason;
  facts.detail = std::move(detail);
}

void add_bomb(ForeignFacts& facts) {
  add_fault(facts, ReasonCode::kDecompressionBomb,
            fmt::format("{} x {}", facts.size.width_px, facts.size.height_px));
}

void add_png_facts(Bytes file, ForeignFacts& facts) {
  const PngStructure png = read_png_structure(file);
  facts.orientation = read_tiff_orientation(png.exif);
  facts.reasons.add_if(png.is_interlaced, ReasonCode::kInterlaced);
  facts.reasons.add_if(png.bit_depth < 8, ReasonCode::kFewBits);
  facts.reasons.add_if(png.is_animated, ReasonCode::kAnimated);
  facts.reasons.add_if(png.is_wide_gamut, ReasonCode::kWideGamut);
  facts.reasons.add_if(png.has_wrong_crc, ReasonCode::kBadCrc);
  if (png.is_cut) return add_fault(facts, ReasonCode::kTruncated, "PNG without its last bytes");
  // A first bound that needs no decoding: what deflate can make of so many bytes.
  if (png.unfolded_bytes() / kMaxRatio > png.data_bytes) return add_bomb(facts);
  facts.reasons.add_if(!png.has_end, ReasonCode::kMissingEnd);
  if (!png.has_end || png.has_wrong_crc || png.has_other_chunks) facts.rebuilt = plain_png(file);
  if (png.has_wrong_crc) add_fault(facts, ReasonCode::kBadCrc, "the checksum of a chunk is wrong");
}

void add_bmp_facts(Bytes file, ForeignFacts& facts) {
  constexpr std::uint64_t kCoreHeaderBytes = 12;
  const bool is_core = read_number(file, 14, 4, ByteOrder::kLittle) == kCoreHeaderBytes;
  const std::uint64_t bits =
      read_number(file, is_core ? 24 : 28, 2, ByteOrder::kLittle).value_or(0);
  const std::uint64_t compression =
      is_core ? 0 : read_number(file, 30, 4, ByteOrder::kLittle).value_or(0);
  facts.reasons.add_if(bits < 8, ReasonCode::kFewBits);
  const std::uint64_t data_at = read_number(file, 10, 4, ByteOrder::kLittle).value_or(0);
  const std::uint64_t row_bytes = (times(facts.size.width_px, bits) / 32) * 4;
  const std::uint64_t data_bytes = times(row_bytes, facts.size.height_px);
  constexpr std::uint64_t kBitFields = 3;
  const bool is_plain = compression == 0 || compression == kBitFields;
  if (is_plain && (data_at > file.size() || file.size() - data_at < data_bytes)) {
    return add_fault(facts, ReasonCode::kTruncated, "BMP with fewer bytes than its rows have");
  }
  if (!is_plain && unfolds_beyond_reason(file.size(), data_bytes)) add_bomb(facts);
}

void add_tiff_facts(Bytes file, ForeignFacts& facts) {
  facts.orientation = read_tiff_orientation(file);
  facts.reasons.add_if(has_second_tiff_directory(file), ReasonCode::kAnimated);
  facts.reasons.add_if(is_wide_gamut_icc(read_tiff_icc(file)), ReasonCode::kWideGamut);
  const std::uint64_t bits = read_first_tiff_value(file, TiffTag::kBitsPerSample).value_or(1);
  const std::uint64_t samples = read_tiff_tag(file, TiffTag::kSamplesPerPixel).value_or(1);
  facts.reasons.add_if(bits < 8, ReasonCode::kFewBits);
  const std::uint64_t unfolded = bits_to_bytes(times(facts.size.num_px(), times(bits, samples)));
  constexpr std::uint32_t kPlain = 1;
  if (read_tiff_tag(file, TiffTag::kCompression).value_or(kPlain) == kPlain) {
    if (unfolded > file.size()) {
      add_fault(facts, ReasonCode::kTruncated, "TIFF with fewer bytes than its pixels have");
    }
  } else if (unfolds_beyond_reason(file.size(), unfolded)) {
    add_bomb(facts);
  }
}

void add_webp_facts(Bytes file, ForeignFacts& facts) {
  const WebpStructure webp = read_webp_structure(file);
  facts.orientation = read_tiff_orientation(webp.exif);
  facts.reasons.add_if(webp.is_animated, ReasonCode::kAnimated);
  facts.reasons.add_if(is_wide_gamut_icc(webp.icc), ReasonCode::kWideGamut);
  if (webp.is_cut) return add_fault(facts, ReasonCode::kTruncated, "WebP shorter than it says");
  if (unfolds_beyond_reason(file.size(), times(facts.size.num_px(), 3))) return add_bomb(facts);
  if (!webp.is_animated) return;
  facts.rebuilt = still_webp(webp);
  if (facts.rebuilt.empty()) return;
  // The limit of pixels and the price of memory are those of the file's sides.
  const auto frame = read_declared_size(ImageFormat::kWebp, facts.rebuilt);
  if (frame && frame->width_px <= facts.size.width_px && frame->height_px <= facts.size.height_px) {
    return;
  }
  facts.rebuilt = {};
  add_fault(facts, ReasonCode::kDamaged, "WebP with a frame larger than its canvas");
}

// Behind `num_numbers` decimal numbers, comments between them, and one more character of space.
std::size_t netpbm_data_at(Bytes file, int num_numbers) {
  const auto at_digit = [&](std::size_t at) {
    return std::to_integer<unsigned>(file[at]) - '0' <= 9;
  };
  std::size_t at = 2;
  for (int i = 0; i < num_numbers; ++i) {
    bool is_comment = false;
    while (at < file.size() && (is_comment || !at_digit(at))) {
      const auto c = std::to_integer<char>(file[at++]);
      is_comment = c == '#' || (is_comment && c != '\n');
    }
    while (at < file.size() && at_digit(at)) ++at;
  }
  return std::min(at + 1, file.size());
}

void add_netpbm_facts(Bytes file, ForeignFacts& facts) {
  const auto kind = std::to_integer<char>(file[1]);
  const bool is_colour = kind == '3' || kind == '6';
  const bool is_packed_bits = kind == '4';
  facts.reasons.add_if(kind == '1' || kind == '4', ReasonCode::kFewBits);
  const bool has_limit = kind != '1' && kind != '4';
  const std::uint64_t samples = times(facts.size.num_px(), is_colour ? 3 : 1);
  const std::uint64_t there = file.size() - netpbm_data_at(file, has_limit ? 3 : 2);
  if (there < (is_packed_bits ? samples / 8 : samples)) {
    add_fault(facts, ReasonCode::kTruncated, "PNM with fewer bytes than its pixels have");
  }
}

void add_gif_facts(Bytes file, ForeignFacts& facts) {
  const GifStructure gif = read_gif_structure(file);
  if (!gif.has_frame) {
    return gif.ends_early
               ? add_fault(facts, ReasonCode::kTruncated, "GIF that ends before a picture")
               : add_fault(facts, ReasonCode::kDamaged, "GIF without a picture");
  }
  facts.reasons.add_if(gif.is_animated, ReasonCode::kAnimated);
  facts.reasons.add_if(gif.is_interlaced, ReasonCode::kInterlaced);
  facts.reasons.add_if(gif.palette_bits > 0 && gif.palette_bits < 8, ReasonCode::kFewBits);
  if (gif.size.num_px() == 0) {
    return add_fault(facts, ReasonCode::kZeroSides,
                     fmt::format("a frame of {} x {}", gif.size.width_px, gif.size.height_px));
  }
  if (gif.left_px + gif.size.width_px > facts.size.width_px ||
      gif.top_px + gif.size.height_px > facts.size.height_px) {
    return add_fault(facts, ReasonCode::kDamaged, "GIF with a frame outside its canvas");
  }
  if (gif.palette_bits == 0) return add_fault(facts, ReasonCode::kDamaged, "GIF without a palette");
  // 4,096 codes of at most 12 bits, each of a pixel more than one before it. Other pixels of the canvas
  // take no bytes at all.
  constexpr std::uint64_t kMaxPxPerByte = 4096 * 8 / 12 + 1;
  const bool is_bomb =
      (!gif.is_data_cut && gif.size.num_px() / kMaxPxPerByte > gif.data_bytes) ||
      unfolds_beyond_reason(file.size(), times(facts.size.num_px(), 3), 3 * kMaxPxPerByte);
  if (is_bomb) return add_bomb(facts);
  facts.reasons.add_if(!gif.is_animated && !gif.has_end, ReasonCode::kMissingEnd);
  if (gif.is_data_cut) facts.rebuilt = ended_gif(file, gif);
}

}  // namespace

ForeignFacts read_foreign_facts(ImageFormat format, Bytes file) {
  ForeignFacts facts;
  const auto size = read_declared_size(format, file);
  if (!size) {
    add_fault(facts, ReasonCode::kDamaged,
              fmt::format("{} without a whole header", image_format_name(format)));
    return facts;
  }
  facts.size = *size;
  if (size->width_px == 0 || size->height_px == 0) {
    add_fault(facts, ReasonCode::kZeroSides,
              fmt::format("{} x {}", size->width_px, size->height_px));
    return facts;
  }
  switch (format) {
    case ImageFormat::kPng:
      add_png_facts(file, facts);
      break;
    case ImageFormat::kBmp:
      add_bmp_facts(file, facts);
      break;
    case ImageFormat::kTiff:
      add_tiff_facts(file, facts);
      break;
    case ImageFormat::kWebp:
      add_webp_facts(file, facts);
      break;
    case ImageFormat::kNetpbm:
      add_netpbm_facts(file, facts);
      break;
    case ImageFormat::kGif:
      add_gif_facts(file, facts);
      break;
    default:
      break;
  }
  return facts;
}

ReasonCode foreign_reason(std::string_view why) {
  // The words are foreign_image.cpp's own.
  const bool is_unsupported =
      why.starts_with("samples that are neither") || why.starts_with("a picture with ");
  return is_unsupported ? ReasonCode::kUnsupportedFormat : ReasonCode::kDamaged;
}

}  // namespace penstock::convert
