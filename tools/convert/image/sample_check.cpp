#include "tools/convert/image/sample_check.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/picture_reencoding.h"

namespace penstock::convert {
namespace {

constexpr PictureKind kKind = PictureKind::kPngSample;

std::uint8_t orientation_of(const SourcePicture& picture) {
  return picture.orientation.value_or(1);
}

// Why it is refused without being decoded; nothing: it is not.
std::optional<ImageVerdict> refusal_of(const IndexRecord& record, const CheckSettings& settings) {
  const std::string text = sides_text(record.width_px, record.height_px);
  const SidesPx sides{record.width_px, record.height_px};
  if (sides.num_px() == 0) return quarantined(ReasonCode::kZeroSides, text);
  if (std::max(sides.width_px, sides.height_px) > kMaxSidePx || sides.num_px() > settings.max_px ||
      is_too_long_for_jpeg(kKind, sides, settings.encode)) {
    return quarantined(ReasonCode::kTooManyPixels, text);
  }
  return std::nullopt;
}

bool is_encoded_anew(const IndexRecord& record, std::uint8_t orientation,
                     const CheckSettings& settings) {
  const SidesPx sides{record.width_px, record.height_px};
  return changes_pixels(sides, record.components, orientation, settings) ||
         stored_codec(kKind, sides, settings.encode) != Codec::kPng;
}

// Of a record that is not refused.
ImageVerdict judge_png(const SourcePicture& picture, const IndexRecord& record,
                       const CheckSettings& settings, StoredPictureCheck& check,
                       const std::stop_token& stop) {
  const std::uint8_t orientation = orientation_of(picture);
  if (!is_encoded_anew(record, orientation, settings)) {
    return check.check_png(picture.bytes, settings.depth, stop);
  }
  DecodedPixels pixels;
  if (auto refusal = check.decode_png(picture.bytes, record, pixels, stop)) {
    return *std::move(refusal);
  }
  return reencode(pixels, kKind, orientation, settings, check, stop);
}

ImageVerdict check_png_sample(const SourcePicture& picture, const CheckSettings& settings,
                              StoredPictureCheck& check, const std::stop_token& stop) {
  const Result<IndexRecord> record = read_png_record(picture.bytes);
  if (!record.ok()) {
    return quarantined(ReasonCode::kDamaged, std::string(record.fault().detail()));
  }
  if (auto refusal = refusal_of(record.value(), settings)) return *std::move(refusal);
  ImageVerdict verdict = judge_png(picture, record.value(), settings, check, stop);
  verdict.reasons.add_if(is_stored(verdict.fate) && record.value().components == 1,
                         ReasonCode::kGrayscale);
  verdict.reasons.add_if(orientation_of(picture) != 1, ReasonCode::kExifOrientation);
  return verdict;
}

}  // namespace

bool is_ordinary_sample(const SourcePicture& picture) {
  if (picture.codec == Codec::kJpeg) return detect_format(picture.bytes) == ImageFormat::kJpeg;
  if (picture.codec != Codec::kRaw || !picture.raw) return !picture.codec;
  const RawShape& shape = *picture.raw;
  const bool has_channels = shape.channels == 1 || shape.channels == 3;
  return has_channels &&
         picture.bytes.size() == std::uint64_t{shape.width_px} * shape.height_px * shape.channels;
}

bool is_told_otherwise(const SourcePicture& picture) {
  const std::uint8_t orientation = orientation_of(picture);
  return picture.codec == Codec::kJpeg && picture.orientation && orientation >= 1 &&
         orientation <= 8 && is_ordinary_sample(picture) &&
         read_exif_orientation(picture.bytes) != orientation;
}

std::uint64_t sample_checking_bytes(const SourcePicture& picture, const CheckSettings& settings) {
  if (picture.codec != Codec::kPng) return 0;
  const Result<IndexRecord> found = read_png_record(picture.bytes);
  if (!found.ok() || refusal_of(found.value(), settings)) return 0;
  const IndexRecord& record = found.value();
  if (is_encoded_anew(record, orientation_of(picture), settings)) {
    return png_checking_bytes(record) +
           encoding_bytes(kKind, {record.width_px, record.height_px}, record.components, settings);
  }
  return (settings.depth == CheckDepth::kHeader ? 0 : png_checking_bytes(record)) +
         (settings.strips_metadata ? picture.bytes.size() : 0);
}

ImageVerdict check_sample(const SourcePicture& picture, const CheckSettings& settings,
                          StoredPictureCheck& check, const std::stop_token& stop) {
  switch (*picture.codec) {
    case Codec::kPng:
      return check_png_sample(picture, settings, check, stop);
    case Codec::kJpeg:
      return quarantined(ReasonCode::kDamaged, "stored as JPEG, and none");
    case Codec::kRaw:
      return quarantined(ReasonCode::kDamaged,
                         "stored as pixels, and not as many as its sides say");
  }
  return quarantined(ReasonCode::kUnsupportedFormat,
                     "codec " + std::to_string(static_cast<int>(*picture.codec)));
}

}  // namespace penstock::convert
