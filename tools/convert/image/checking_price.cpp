#include "tools/convert/image/checking_price.h"

#include <algorithm>
#include <optional>

#include "tools/convert/image/foreign_facts.h"
#include "tools/convert/image/jpeg_byte_fix.h"
#include "tools/convert/image/jpeg_structure.h"
#include "tools/convert/image/picture_reasons.h"
#include "tools/convert/image/tiff_picture.h"

namespace penstock::convert {
namespace {

// What is refused before it is decoded takes nothing, whatever it declares.
std::uint64_t foreign_checking_bytes(ImageFormat format, std::span<const std::byte> file,
                                     const CheckSettings& settings, StoredPictureCheck& check) {
  const ForeignFacts facts = read_foreign_facts(format, file);
  if (facts.fault && !settings.is_tried(*facts.fault)) return 0;
  return reencoding_bytes(file, settings, check) + facts.rebuilt.size();
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
  const bool is_mended = is_mended_by_header(reasons_of_jpeg(structure, jpeg.size()), settings);
  if (settings.depth == CheckDepth::kHeader && !is_mended) return 0;
  const std::uint64_t scratch_bytes = jpeg_scratch_bytes(record_of_jpeg(header, 1, jpeg.size()));
  if (!is_mended) {
    const bool is_cut = settings.is_fixed(ReasonCode::kBytesAfterEnd) ||
                        settings.is_fixed(ReasonCode::kSecondPicture);
    return std::max(scratch_bytes, reencoded_bytes) + (is_cut ? jpeg.size() : 0);
  }
  // Rewriting holds the coefficients again, when decoding has given its own back, and the new file:
  // in a buffer that doubles as it grows, then copied.
  const std::uint64_t coefficient_bytes =
      header.has_several_scans
          ? scratch_bytes
          : std::uint64_t{header.width_px} * header.height_px * kReencodingBytesPerPx;
  return std::max({scratch_bytes, reencoded_bytes, coefficient_bytes}) + 4 * jpeg.size();
}

}  // namespace

std::uint64_t reencoding_bytes(std::span<const std::byte> file, const CheckSettings& settings,
                               StoredPictureCheck& check) {
  const ImageFormat format = detect_format(file);
  if (is_foreign_format(format)) {
    const std::optional<DeclaredSize> size = read_declared_size(format, file);
    if (!size || !settings.is_within_limit(*size)) return 0;
    const std::uint64_t bytes = size->num_px() * kReencodingBytesPerPx;
    return format == ImageFormat::kTiff ? std::max(bytes, tiff_decoding_bytes(file)) : bytes;
  }
  if (format != ImageFormat::kJpeg) return 0;
  const Result<JpegHeader> header = check.read_header(file);
  if (!header.ok()) return 0;
  const std::uint64_t num_px = std::uint64_t{header.value().width_px} * header.value().height_px;
  if (num_px > settings.max_px) {
    return settings.is_fixed(ReasonCode::kTooManyPixels)
               ? settings.max_px * 2 * kReencodingBytesPerPx
               : 0;
  }
  const bool may_be_reencoded =
      header.value().components == 4 || settings.is_fixed(ReasonCode::kTruncated) ||
      settings.is_fixed(ReasonCode::kRestartError) || settings.is_fixed(ReasonCode::kDamaged) ||
      settings.is_fixed(ReasonCode::kExifOrientation);
  return may_be_reencoded ? num_px * kReencodingBytesPerPx : 0;
}

std::uint64_t checking_bytes(const SourcePicture& picture, const CheckSettings& settings,
                             StoredPictureCheck& check) {
  if (picture.raw) return 0;
  const ImageFormat format = detect_format(picture.bytes);
  if (is_foreign_format(format)) {
    return foreign_checking_bytes(format, picture.bytes, settings, check);
  }
  return format == ImageFormat::kJpeg ? jpeg_checking_bytes(picture.bytes, settings, check) : 0;
}

}  // namespace penstock::convert
