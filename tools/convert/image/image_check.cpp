#include "tools/convert/image/image_check.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "tools/convert/image/checking_price.h"
#include "tools/convert/image/foreign_check.h"
#include "tools/convert/image/jpeg_check.h"
#include "tools/convert/image/jpeg_strip.h"
#include "tools/convert/image/picture_reasons.h"
#include "tools/convert/image/picture_reencoding.h"

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

ImageChecker::ImageChecker(std::uint64_t max_px, CheckDepth depth, SeveralScans several_scans,
                           const PictureFixes& fixes, const EncodeSettings& encode)
    : settings_{.max_px = max_px,
                .depth = depth,
                .fixes = fixes,
                .encode = encode,
                .optimizes_crops = several_scans == SeveralScans::kRewritten} {
  if (several_scans == SeveralScans::kRewritten) {
    settings_.fixes.policies.set(ReasonCode::kProgressive, Policy::kFix);
  }
}

std::uint64_t ImageChecker::reencoding_bytes(std::span<const std::byte> file) {
  return convert::reencoding_bytes(file, settings_, stored_);
}

std::uint64_t ImageChecker::checking_bytes(const SourcePicture& picture) {
  return convert::checking_bytes(picture, settings_, stored_);
}

ImageVerdict ImageChecker::check(std::span<const std::byte> file, std::string_view path,
                                 const std::stop_token& stop) {
  if (file.empty()) return quarantined(ReasonCode::kEmptyFile, "");
  const ImageFormat format = detect_format(file);
  ImageVerdict verdict = check_format(format, file, path, stop);
  const bool is_picture = format != ImageFormat::kUnknown && format != ImageFormat::kText &&
                          format != ImageFormat::kZip && format != ImageFormat::kPdf;
  if (is_picture && has_wrong_extension(path, format)) {
    verdict.reasons.add(ReasonCode::kWrongExtension);
  }
  add_seen_reasons(verdict);
  apply_policies(verdict, settings_.fixes.policies);
  if (settings_.strips_metadata && format == ImageFormat::kJpeg) strip(verdict, file);
  return verdict;
}

// What was encoded here has nothing to be taken out.
void ImageChecker::strip(ImageVerdict& verdict, std::span<const std::byte> file) const {
  if (verdict.fate != FileFate::kKept && verdict.fate != FileFate::kRewritten) return;
  const bool is_kept = verdict.fate == FileFate::kKept;
  const std::span<const std::byte> jpeg =
      is_kept ? file : std::span(std::as_const(verdict.reencoded));
  std::optional<std::vector<std::byte>> stripped = strip_jpeg(jpeg);
  if (!stripped) return;
  verdict.stripped_bytes = jpeg.size() - std::min(jpeg.size(), stripped->size());
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

ImageVerdict ImageChecker::check_bare(std::span<const std::byte> pixels, const RawShape& shape,
                                      const std::stop_token& stop) {
  const SidesPx sides{shape.width_px, shape.height_px};
  const SidesPx target = target_sides(sides, settings_.encode);
  const bool is_kept =
      target == sides && !(settings_.encode.grayscale && shape.channels == 3) &&
      stored_codec(PictureKind::kBarePixels, target, settings_.encode) == Codec::kRaw;
  if (is_kept || sides.num_px() > settings_.max_px) {
    return check_raw(pixels, shape, settings_);
  }
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(pixels.data());
  const DecodedPixels decoded{.pixels_hwc = {begin, begin + pixels.size()},
                              .width_px = shape.width_px,
                              .height_px = shape.height_px,
                              .channels = shape.channels};
  return reencode(decoded, PictureKind::kBarePixels, 1, settings_, stored_, stop);
}

ImageVerdict ImageChecker::check(const SourcePicture& picture, std::string_view path,
                                 const std::stop_token& stop) {
  ImageVerdict verdict;
  if (picture.raw) {
    verdict = check_bare(picture.bytes, *picture.raw, stop);
    verdict.reasons.add_if(picture.raw->channels == 1, ReasonCode::kGrayscale);
    add_seen_reasons(verdict);
    apply_policies(verdict, settings_.fixes.policies);
  } else {
    verdict = check(picture.bytes, path, stop);
  }
  const bool is_turned = verdict.mended.has(ReasonCode::kExifOrientation);
  if (picture.orientation && !is_turned) verdict.record.orientation = *picture.orientation;
  return verdict;
}

}  // namespace penstock::convert
