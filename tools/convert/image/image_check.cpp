#include "tools/convert/image/image_check.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "tools/convert/image/checking_price.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/foreign_check.h"
#include "tools/convert/image/jpeg_check.h"
#include "tools/convert/image/jpeg_strip.h"
#include "tools/convert/image/picture_reasons.h"
#include "tools/convert/image/picture_reencoding.h"
#include "tools/convert/image/png_strip.h"
#include "tools/convert/image/sample_check.h"

namespace penstock::convert {
namespace {

// Of every channel, the sum of squares is that of a picture in which all pixels are their mean.
bool is_constant(const PixelSums& sums) {
  if (sums.num_px == 0) return false;
  __extension__ using Wide = unsigned __int128;
  for (std::size_t c = 0; c < sums.sum.size(); ++c) {
    if (Wide{sums.num_px} * sums.sum_of_squares[c] != Wide{sums.sum[c]} * sums.sum[c]) return false;
  }
  return true;
}

}  // namespace

void add_seen_reasons(ImageVerdict& verdict) {
  if (!is_stored(verdict.fate)) return;
  verdict.reasons.add(reasons_of_shape(verdict.record.width_px, verdict.record.height_px));
  verdict.reasons.add_if(is_constant(verdict.sums), ReasonCode::kConstant);
}

std::uint64_t ImageChecker::reencoding_bytes(std::span<const std::byte> file) {
  return convert::reencoding_bytes(file, settings_, stored_);
}

std::uint64_t ImageChecker::checking_bytes(const SourcePicture& picture) {
  return convert::checking_bytes(picture, settings_, stored_);
}

ImageVerdict ImageChecker::check(std::span<const std::byte> file, std::string_view path,
                                 const std::stop_token& stop, const ReasonSet& others) {
  ImageVerdict verdict = look_at(file, path, stop);
  finish(verdict, file, others);
  return verdict;
}

ImageVerdict ImageChecker::look_at(std::span<const std::byte> file, std::string_view path,
                                   const std::stop_token& stop) {
  if (file.empty()) return quarantined(ReasonCode::kEmptyFile, "");
  const ImageFormat format = detect_format(file);
  ImageVerdict verdict = check_format(format, file, path, stop);
  const bool is_picture = format != ImageFormat::kUnknown && format != ImageFormat::kText &&
                          format != ImageFormat::kZip && format != ImageFormat::kPdf;
  if (is_picture && has_wrong_extension(path, format)) {
    verdict.reasons.add(ReasonCode::kWrongExtension);
  }
  return verdict;
}

void ImageChecker::finish(ImageVerdict& verdict, std::span<const std::byte> file,
                          const ReasonSet& others) const {
  add_seen_reasons(verdict);
  verdict.reasons.add(others);
  apply_policies(verdict, settings_.fixes.policies);
  strip(verdict, file);
}

// What was encoded here has nothing to be taken out.
void ImageChecker::strip(ImageVerdict& verdict, std::span<const std::byte> file) const {
  if (!settings_.strips_metadata) return;
  if (verdict.fate != FileFate::kKept && verdict.fate != FileFate::kRewritten) return;
  const bool is_kept = verdict.fate == FileFate::kKept;
  const std::span<const std::byte> told =
      is_kept ? file : std::span(std::as_const(verdict.reencoded));
  const auto codec = static_cast<Codec>(verdict.record.codec);
  std::optional<std::vector<std::byte>> stripped = codec == Codec::kJpeg  ? strip_jpeg(told)
                                                   : codec == Codec::kPng ? strip_png(told)
                                                                          : std::nullopt;
  if (!stripped) return;
  verdict.stripped_bytes = told.size() - std::min(told.size(), stripped->size());
  verdict.fate = FileFate::kRewritten;
  verdict.reencoded = std::move(*stripped);
  verdict.record.length_bytes = static_cast<std::uint32_t>(verdict.reencoded.size());
  for (const ReasonCode code : {ReasonCode::kBytesAfterEnd, ReasonCode::kSecondPicture}) {
    verdict.mended.add_if(verdict.reasons.has(code), code);
  }
}

ImageVerdict ImageChecker::check_format(ImageFormat format, std::span<const std::byte> file,
                                        std::string_view path, const std::stop_token& stop) {
  if (format == ImageFormat::kJpeg) return check_jpeg(file, settings_, stored_, stop);
  if (is_foreign_format(format)) return check_foreign(format, file, settings_, stored_, stop);
  switch (format) {
    case ImageFormat::kText:
      if (!has_picture_extension(path)) {
        ImageVerdict verdict = quarantined(ReasonCode::kText, "");
        if (settings_.fixes.policies[ReasonCode::kText] == Policy::kSkip) {
          verdict.fate = FileFate::kSkippedText;
        }
        return verdict;
      }
      return quarantined(ReasonCode::kNotAPicture, "text");
    case ImageFormat::kZip:
      return quarantined(ReasonCode::kNotAPicture, "a ZIP archive");
    case ImageFormat::kUnknown:
      return quarantined(ReasonCode::kNotAPicture, "");
    default:
      return quarantined(ReasonCode::kUnsupportedFormat, std::string(image_format_name(format)));
  }
}

ImageVerdict ImageChecker::check_bare(const SourcePicture& picture, const std::stop_token& stop) {
  const RawShape& shape = *picture.raw;
  const SidesPx sides{shape.width_px, shape.height_px};
  const std::uint8_t orientation = picture.orientation.value_or(1);
  const bool is_kept =
      !changes_pixels(sides, shape.channels, orientation, settings_) &&
      stored_codec(PictureKind::kBarePixels, sides, settings_.encode) == Codec::kRaw;
  if (is_kept || sides.num_px() > settings_.max_px) {
    return check_raw(picture.bytes, shape, settings_);
  }
  if (is_too_long_for_jpeg(PictureKind::kBarePixels, sides, settings_.encode)) {
    return quarantined(ReasonCode::kTooManyPixels, sides_text(sides.width_px, sides.height_px));
  }
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(picture.bytes.data());
  const DecodedPixels decoded{.pixels_hwc = {begin, begin + picture.bytes.size()},
                              .width_px = shape.width_px,
                              .height_px = shape.height_px,
                              .channels = shape.channels};
  return reencode(decoded, PictureKind::kBarePixels, orientation, settings_, stored_, stop);
}

// Checked as if its EXIF said what the index does. Where that is kept, its own bytes are.
ImageVerdict ImageChecker::check_told_otherwise(const SourcePicture& picture, std::string_view path,
                                                const std::stop_token& stop,
                                                const ReasonSet& others) {
  const std::vector<std::byte> told = with_exif_orientation(picture.bytes, *picture.orientation);
  ImageVerdict verdict = check(told, path, stop, others);
  if (verdict.fate == FileFate::kKept) {
    verdict.record.length_bytes = static_cast<std::uint32_t>(picture.bytes.size());
  }
  return verdict;
}

ImageVerdict ImageChecker::check(const SourcePicture& picture, std::string_view path,
                                 const std::stop_token& stop, const ReasonSet& others) {
  if (is_told_otherwise(picture)) return check_told_otherwise(picture, path, stop, others);
  ImageVerdict verdict;
  if (!is_ordinary_sample(picture)) {
    verdict = check_sample(picture, settings_, stored_, stop);
  } else if (picture.raw) {
    verdict = check_bare(picture, stop);
    verdict.reasons.add_if(picture.raw->channels == 1, ReasonCode::kGrayscale);
    verdict.reasons.add_if(picture.orientation.value_or(1) != 1, ReasonCode::kExifOrientation);
  } else {
    verdict = look_at(picture.bytes, path, stop);
  }
  finish(verdict, picture.bytes, others);
  const bool is_turned = verdict.mended.has(ReasonCode::kExifOrientation);
  if (picture.orientation && !is_turned) verdict.record.orientation = *picture.orientation;
  return verdict;
}

}  // namespace penstock::convert
