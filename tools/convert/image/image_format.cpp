#include "tools/convert/image/image_format.h"

#include <algorithm>
#include <string>

#include "tools/convert/image/byte_reader.h"
#include "tools/convert/image/tiff_tags.h"

namespace penstock::convert {
namespace {

using Bytes = std::span<const std::byte>;

bool has_at(Bytes bytes, std::size_t offset, std::string_view mark) noexcept {
  if (bytes.size() < offset + mark.size()) return false;
  return std::equal(mark.begin(), mark.end(), bytes.begin() + offset, [](char c, std::byte b) {
    return static_cast<unsigned char>(c) == std::to_integer<unsigned char>(b);
  });
}

using namespace std::string_view_literals;

// ISO base media files (HEIF, AVIF): "ftyp" at 4, the brand behind it.
ImageFormat media_brand(Bytes bytes) noexcept {
  if (has_at(bytes, 8, "avif"sv) || has_at(bytes, 8, "avis"sv)) return ImageFormat::kAvif;
  for (const std::string_view brand :
       {"heic"sv, "heix"sv, "hevc"sv, "heim"sv, "mif1"sv, "msf1"sv}) {
    if (has_at(bytes, 8, brand)) return ImageFormat::kHeif;
  }
  return ImageFormat::kUnknown;
}

bool is_netpbm(Bytes bytes) noexcept {
  if (bytes.size() < 3 || bytes[0] != std::byte{'P'}) return false;
  const auto kind = std::to_integer<char>(bytes[1]);
  const auto space = std::to_integer<char>(bytes[2]);
  return kind >= '1' && kind <= '6' &&
         (space == '\n' || space == '\r' || space == ' ' || space == '\t' || space == '#');
}

// No control characters but those of text, and not empty.
bool is_text(Bytes bytes) noexcept {
  constexpr std::size_t kLookedAt = 512;
  const Bytes head = bytes.first(std::min(bytes.size(), kLookedAt));
  return !head.empty() && std::none_of(head.begin(), head.end(), [](std::byte b) {
    const auto value = std::to_integer<unsigned>(b);
    const bool is_text_control = value == '\t' || value == '\n' || value == '\r' || value == '\f';
    return (value < 0x20 && !is_text_control) || value == 0x7F;
  });
}

bool mentions_svg(Bytes bytes) noexcept {
  constexpr std::size_t kLookedAt = 512;
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()),
                              std::min(bytes.size(), kLookedAt));
  return head.find("<svg") != std::string_view::npos;
}

std::optional<DeclaredSize> two_numbers(Bytes bytes, std::size_t offset, std::size_t num_bytes,
                                        ByteOrder order) noexcept {
  const auto width = read_number(bytes, offset, num_bytes, order);
  const auto height = read_number(bytes, offset + num_bytes, num_bytes, order);
  if (!width || !height) return std::nullopt;
  return DeclaredSize{*width, *height};
}

std::optional<DeclaredSize> bmp_size(Bytes bytes) noexcept {
  constexpr std::uint64_t kCoreHeaderBytes = 12;
  if (read_number(bytes, 14, 4, ByteOrder::kLittle) == kCoreHeaderBytes) {
    return two_numbers(bytes, 18, 2, ByteOrder::kLittle);
  }
  auto size = two_numbers(bytes, 18, 4, ByteOrder::kLittle);
  // A negative height, in two's complement, means rows from top to bottom.
  if (size && size->height_px > INT32_MAX) size->height_px = (1ull << 32) - size->height_px;
  return size;
}

std::optional<DeclaredSize> webp_size(Bytes bytes) noexcept {
  constexpr std::size_t kChunkData = 20;
  if (has_at(bytes, 12, "VP8X"sv)) {
    auto size = two_numbers(bytes, kChunkData + 4, 3, ByteOrder::kLittle);
    if (size) size = DeclaredSize{size->width_px + 1, size->height_px + 1};
    return size;
  }
  if (has_at(bytes, 12, "VP8L"sv)) {
    const auto bits = read_number(bytes, kChunkData + 1, 4, ByteOrder::kLittle);
    if (!bits) return std::nullopt;
    return DeclaredSize{(*bits & 0x3FFF) + 1, (*bits >> 14 & 0x3FFF) + 1};
  }
  if (!has_at(bytes, 12, "VP8 "sv)) return std::nullopt;
  auto size = two_numbers(bytes, kChunkData + 6, 2, ByteOrder::kLittle);
  if (size) size = DeclaredSize{size->width_px & 0x3FFF, size->height_px & 0x3FFF};
  return size;
}

std::optional<DeclaredSize> tiff_size(Bytes bytes) noexcept {
  const auto width = read_tiff_tag(bytes, TiffTag::kImageWidth);
  const auto height = read_tiff_tag(bytes, TiffTag::kImageLength);
  if (!width || !height) return std::nullopt;
  return DeclaredSize{*width, *height};
}

// Two decimal numbers behind "P6", with white space and comments between.
std::optional<DeclaredSize> netpbm_size(Bytes bytes) noexcept {
  std::uint64_t numbers[2] = {0, 0};
  std::size_t at = 2;
  for (std::uint64_t& number : numbers) {
    bool is_comment = false;
    const auto digit = [&] { return std::to_integer<unsigned>(bytes[at]) - '0'; };
    while (at < bytes.size() && (is_comment || digit() > 9)) {
      const auto c = std::to_integer<char>(bytes[at]);
      if (c == '#') is_comment = true;
      if (c == '\n') is_comment = false;
      ++at;
    }
    if (at == bytes.size()) return std::nullopt;
    for (; at < bytes.size() && digit() <= 9; ++at) {
      if (number > UINT32_MAX) return std::nullopt;
      number = number * 10 + digit();
    }
  }
  return DeclaredSize{numbers[0], numbers[1]};
}

}  // namespace

std::string_view image_format_name(ImageFormat format) {
  switch (format) {
    case ImageFormat::kUnknown:
      return "unknown";
    case ImageFormat::kJpeg:
      return "JPEG";
    case ImageFormat::kPng:
      return "PNG";
    case ImageFormat::kBmp:
      return "BMP";
    case ImageFormat::kTiff:
      return "TIFF";
    case ImageFormat::kWebp:
      return "WebP";
    case ImageFormat::kNetpbm:
      return "PNM";
    case ImageFormat::kGif:
      return "GIF";
    case ImageFormat::kJpeg2000:
      return "JPEG 2000";
    case ImageFormat::kJpegXl:
      return "JPEG XL";
    case ImageFormat::kHeif:
      return "HEIF";
    case ImageFormat::kAvif:
      return "AVIF";
    case ImageFormat::kSvg:
      return "SVG";
    case ImageFormat::kPdf:
      return "PDF";
    case ImageFormat::kZip:
      return "ZIP";
    case ImageFormat::kText:
      return "text";
  }
  return "unknown";
}

ImageFormat detect_format(Bytes bytes) noexcept {
  if (has_at(bytes, 0, "\xFF\xD8\xFF"sv)) return ImageFormat::kJpeg;
  if (has_at(bytes, 0, "\x89PNG\r\n\x1A\n"sv)) return ImageFormat::kPng;
  if (has_at(bytes, 0, "GIF87a"sv) || has_at(bytes, 0, "GIF89a"sv)) return ImageFormat::kGif;
  if (has_at(bytes, 0, "RIFF"sv) && has_at(bytes, 8, "WEBP"sv)) return ImageFormat::kWebp;
  if (has_at(bytes, 0, "II*\0"sv) || has_at(bytes, 0, "MM\0*"sv)) return ImageFormat::kTiff;
  if (has_at(bytes, 4, "ftyp"sv)) return media_brand(bytes);
  if (has_at(bytes, 4, "jP  \r\n\x87\n"sv) || has_at(bytes, 0, "\xFF\x4F\xFF\x51"sv)) {
    return ImageFormat::kJpeg2000;
  }
  if (has_at(bytes, 4, "JXL \r\n\x87\n"sv) || has_at(bytes, 0, "\xFF\x0A"sv)) {
    return ImageFormat::kJpegXl;
  }
  if (has_at(bytes, 0, "%PDF-"sv)) return ImageFormat::kPdf;
  if (has_at(bytes, 0, "PK\x03\x04"sv)) return ImageFormat::kZip;
  // Two letters are little evidence: the reserved words of a BMP's header must be zero too.
  if (has_at(bytes, 0, "BM"sv) && has_at(bytes, 6, "\0\0\0\0"sv)) return ImageFormat::kBmp;
  if (is_netpbm(bytes)) return ImageFormat::kNetpbm;
  if (is_text(bytes)) return mentions_svg(bytes) ? ImageFormat::kSvg : ImageFormat::kText;
  return ImageFormat::kUnknown;
}

std::uint64_t DeclaredSize::num_px() const noexcept {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(width_px, height_px, &product) ? UINT64_MAX : product;
}

std::optional<DeclaredSize> read_declared_size(ImageFormat format, Bytes bytes) noexcept {
  switch (format) {
    case ImageFormat::kPng:
      return two_numbers(bytes, 16, 4, ByteOrder::kBig);
    case ImageFormat::kBmp:
      return bmp_size(bytes);
    case ImageFormat::kTiff:
      return tiff_size(bytes);
    case ImageFormat::kWebp:
      return webp_size(bytes);
    case ImageFormat::kNetpbm:
      return netpbm_size(bytes);
    case ImageFormat::kGif:
      return two_numbers(bytes, 6, 2, ByteOrder::kLittle);
    default:
      return std::nullopt;
  }
}

}  // namespace penstock::convert
