#include "tools/convert/image/image_check.h"

#include <string>

#include "tools/convert/image/checking_price.h"
#include "tools/convert/image/foreign_check.h"
#include "tools/convert/image/jpeg_check.h"
#include "tools/convert/image/picture_reasons.h"

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
                           const PictureFixes& fixes)
    : settings_{.max_px = max_px, .depth = depth, .fixes = fixes} {
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
  return verdict;
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

ImageVerdict ImageChecker::check(const SourcePicture& picture, std::string_view path,
                                 const std::stop_token& stop) {
  ImageVerdict verdict;
  if (picture.raw) {
    verdict = check_raw(picture.bytes, *picture.raw, settings_.max_px);
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
