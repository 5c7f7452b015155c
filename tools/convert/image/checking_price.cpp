#include "tools/convert/image/checking_price.h"

#include <algorithm>
#include <optional>

#include "tools/convert/image/foreign_facts.h"
#include "tools/convert/image/gif_picture.h"
#include "tools/convert/image/jpeg_byte_fix.h"
#include "tools/convert/image/jpeg_structure.h"
#include "tools/convert/image/picture_reasons.h"
#include "tools/convert/image/picture_reencoding.h"
#include "tools/convert/image/sample_check.h"
#include "tools/convert/image/tiff_picture.h"

namespace penstock::convert {
namespace {

std::uint64_t foreign_decoding_bytes(ImageFormat format, std::span<const std::byte> file,
                                     const DeclaredSize& size) {
  const std::uint64_t pixel_bytes = size.num_px() * kReencodingBytesPerPx;
  if (format == ImageFormat::kTiff) return std::max(pixel_bytes, tiff_decoding_bytes(file));
  if (format == ImageFormat::kGif) return std::max(pixel_bytes, gif_decoding_bytes(size));
  return pixel_bytes;
}

// What is refused before it is decoded takes nothing, whatever it declares.
std::uint64_t foreign_checking_bytes(ImageFormat format, std::span<const std::byte> file,
                                     const CheckSettings& settings, StoredPictureCheck& check) {
  const ForeignFacts facts = read_foreign_facts(format, file);
  if (facts.fault && !settings.is_tried(*facts.fault)) return 0;
  const bool is_stripped = settings.strips_metadata && format == ImageFormat::kPng;
  return reencoding_bytes(file, settings, check) + facts.rebuilt.size() +
         (is_stripped ? file.size() : 0);
}

// Decoding holds what the loader's would, and no pixels but some rows of them.
std::uint64_t asked_bytes(const JpegHeader& header, std::uint64_t num_bytes,
                          const CheckSettings& settings) {
  const SidesPx sides{header.width_px, header.height_px};
  return jpeg_scratch_bytes(record_of_jpeg(header, 1, num_bytes)) +
         encoding_bytes(PictureKind::kJpeg, sides, header.components, settings);
}

std::uint64_t jpeg_checking_bytes(std::span<const std::byte> jpeg, const CheckSettings& settings,
                                  StoredPictureCheck& check) {
  const Result<JpegHeader> found = check.read_header(jpeg);
  if (!found.ok()) return 0;
  const JpegHeader& header = found.value();
  const bool counts_scans = settings.depth == CheckDepth::kDecode && header.has_several_scans;
  const JpegStructure structure =
      read_jpeg_structure(jpeg, counts_scans ? JpegExtent::kWhole : JpegExtent::kHeader);
  if (is_jpeg_bomb(structure, jpeg.size())) return 0;
  const std::uint64_t reencoded_bytes = reencoding_bytes(jpeg, settings, check);
  const bool is_stored_as_jpeg = header.components == 1 || header.components == 3;
  if (!is_stored_as_jpeg || !settings.is_within_limit({header.width_px, header.height_px})) {
    return reencoded_bytes;
  }
  if (asks_for_encoding(jpeg, {header.width_px, header.height_px}, header.components,
                        settings.encode)) {
    return reencoded_bytes;
  }
  const std::uint64_t stripped_bytes = settings.strips_metadata ? jpeg.size() : 0;
  const OrdinaryJpeg ordinary{.bytes = jpeg, .header = header, .structure = structure};
  const bool is_mended = is_mended_by_header(ordinary, settings);
  if (settings.depth == CheckDepth::kHeader && !is_mended) return stripped_bytes;
  const std::uint64_t scratch_bytes = jpeg_scratch_bytes(record_of_jpeg(header, 1, jpeg.size()));
  if (!is_mended) {
    const bool is_cut = settings.is_fixed(ReasonCode::kBytesAfterEnd) ||
                        settings.is_fixed(ReasonCode::kSecondPicture);
    return std::max(scratch_bytes, reencoded_bytes) + (is_cut ? jpeg.size() : 0) + stripped_bytes;
  }
  // Rewriting holds the coefficients again, when decoding has given its own back, and the new file:
  // in a buffer that doubles as it grows, then copied.
  const std::uint64_t num_px = std::uint64_t{header.width_px} * header.height_px;
  std::uint64_t coefficient_bytes = num_px * kReencodingBytesPerPx;
  if (header.has_several_scans) {
    coefficient_bytes = scratch_bytes;
  } else if (gains_by_restarts(ordinary, settings)) {
    coefficient_bytes = std::min(coefficient_bytes, scratch_bytes + settings.max_coefficient_bytes);
  }
  return std::max({scratch_bytes, reencoded_bytes, coefficient_bytes}) + 4 * jpeg.size() +
         stripped_bytes;
}

}  // namespace

std::uint64_t reencoding_bytes(std::span<const std::byte> file, const CheckSettings& settings,
                               StoredPictureCheck& check) {
  const ImageFormat format = detect_format(file);
  if (is_foreign_format(format)) {
    const std::optional<DeclaredSize> size = read_declared_size(format, file);
    if (!size || !settings.is_within_limit(*size)) return 0;
    const SidesPx sides{static_cast<std::uint32_t>(size->width_px),
                        static_cast<std::uint32_t>(size->height_px)};
    return foreign_decoding_bytes(format, file, *size) +
           (settings.encode.is_asked() ? encoding_bytes(PictureKind::kFile, sides, 3, settings)
                                       : 0);
  }
  if (format != ImageFormat::kJpeg) return 0;
  const Result<JpegHeader> header = check.read_header(file);
  if (!header.ok()) return 0;
  const SidesPx sides{header.value().width_px, header.value().height_px};
  const std::uint64_t num_px = sides.num_px();
  const std::uint32_t channels = header.value().components == 1 ? 1 : 3;
  if (num_px > settings.max_px) {
    if (!settings.is_fixed(ReasonCode::kTooManyPixels)) return 0;
    return settings.max_px * kReencodingBytesPerPx +
           encoding_bytes(PictureKind::kJpeg, sides, channels, settings);
  }
  const bool may_be_reencoded =
      header.value().components == 4 || settings.is_fixed(ReasonCode::kTruncated) ||
      settings.is_fixed(ReasonCode::kRestartError) || settings.is_fixed(ReasonCode::kDamaged) ||
      settings.is_fixed(ReasonCode::kExifOrientation);
  const std::uint64_t may_take = may_be_reencoded ? num_px * kReencodingBytesPerPx : 0;
  const bool is_asked = asks_for_encoding(file, sides, header.value().components, settings.encode);
  return is_asked ? std::max(may_take, asked_bytes(header.value(), file.size(), settings))
                  : may_take;
}

std::uint64_t checking_bytes(const SourcePicture& picture, const CheckSettings& settings,
                             StoredPictureCheck& check) {
  if (!is_ordinary_sample(picture)) return sample_checking_bytes(picture, settings);
  if (picture.raw) {
    const RawShape& shape = *picture.raw;
    const bool is_turned =
        picture.orientation.value_or(1) != 1 && settings.is_fixed(ReasonCode::kExifOrientation);
    return settings.encode.is_asked() || is_turned
               ? picture.bytes.size() + encoding_bytes(PictureKind::kBarePixels,
                                                       {shape.width_px, shape.height_px},
                                                       shape.channels, settings)
               : 0;
  }
  const ImageFormat format = detect_format(picture.bytes);
  if (is_foreign_format(format)) {
    return foreign_checking_bytes(format, picture.bytes, settings, check);
  }
  if (format != ImageFormat::kJpeg) return 0;
  constexpr std::uint64_t kToldBytes = 64;  // an EXIF segment of one entry
  const std::uint64_t copy_bytes =
      is_told_otherwise(picture) ? picture.bytes.size() + kToldBytes : 0;
  return jpeg_checking_bytes(picture.bytes, settings, check) + copy_bytes;
}

}  // namespace penstock::convert
