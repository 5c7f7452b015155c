// What a file is by its first bytes, never by its name, and how large a picture it declares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace penstock::convert {

enum class ImageFormat : std::uint8_t {
  kUnknown,
  kJpeg,
  kPng,
  kBmp,
  kTiff,
  kWebp,
  kNetpbm,
  kGif,
  // Named so that a report says what it was; not read.
  kJpeg2000,
  kJpegXl,
  kHeif,
  kAvif,
  kSvg,
  kPdf,
  kZip,
  kText,
};

std::string_view image_format_name(ImageFormat format);

/// True for what decode_foreign_image() reads, to be re-encoded.
constexpr bool is_foreign_format(ImageFormat format) noexcept {
  return format >= ImageFormat::kPng && format <= ImageFormat::kGif;
}

/// Returns the format that the first bytes of a file name. All of a short file, or at least the
/// first 512 bytes.
ImageFormat detect_format(std::span<const std::byte> bytes) noexcept;

struct DeclaredSize {
  std::uint64_t width_px = 0;
  std::uint64_t height_px = 0;

  /// Saturates instead of wrapping: the sides are whatever a file claims.
  std::uint64_t num_px() const noexcept;
  friend bool operator==(const DeclaredSize&, const DeclaredSize&) = default;
};

/// Reads the sides from the header of a foreign format, decoding nothing; nothing when the header
/// is not whole.
///
/// Sources  PNG specification (W3C, 3rd edition) 11.2.1; BITMAPCOREHEADER and BITMAPINFOHEADER
///          (Microsoft, wingdi.h); TIFF 6.0, section 2 and 8; WebP container specification and
///          RFC 6386 section 9.1; netpbm's pnm(5); GIF 89a, section 18
std::optional<DeclaredSize> read_declared_size(ImageFormat format,
                                               std::span<const std::byte> bytes) noexcept;

}  // namespace penstock::convert
