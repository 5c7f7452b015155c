#include "tools/convert/image/image_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/read/jpeg_record.h"
#include "streamer/read/new_picture.h"
#include "tools/convert/ascii_case.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/foreign_image.h"
#include "tools/convert/image/jpeg_baseline.h"

namespace penstock::convert {
namespace {

ImageVerdict quarantined(ReasonCode reason, std::string detail) {
  return {.fate = FileFate::kQuarantined,
          .reason = reason,
          .detail = std::move(detail),
          .record = {},
          .decode_scratch_bytes = 0,
          .sums = {},
          .reencoded = {}};
}

// The texts are libjpeg's own (jerror.h of 6b and all its successors).
ReasonCode reason_of_jpeg_text(std::string_view text) {
  const auto starts_with = [&](std::string_view head) {
    return text.substr(0, head.size()) == head;
  };
  if (starts_with("Premature end of")) return ReasonCode::kTruncated;
  if (starts_with("Unsupported JPEG process") || starts_with("Unsupported JPEG data precision") ||
      starts_with("Unsupported color conversion") || starts_with("Sorry, ")) {
    return ReasonCode::kUnsupportedJpeg;
  }
  return ReasonCode::kDamaged;
}

IndexRecord record_of(const JpegHeader& header, std::uint8_t orientation, std::size_t num_bytes) {
  IndexRecord record = jpeg_record(header);
  record.length_bytes = static_cast<std::uint32_t>(num_bytes);
  record.orientation = orientation;
  return record;
}

DecodeRequest whole_picture(const JpegHeader& header) {
  return {.region = {0, 0, header.width_px, header.height_px}, .decode_scale = 1, .channels = 3};
}

Digest128 pixel_digest(const ImageView& image) {
  StreamHasher hasher;
  for (std::uint32_t y = 0; y < image.height_px; ++y) {
    hasher.update(
        std::as_bytes(std::span(image.row(y), image.width_px * image.pixel_stride_bytes)));
  }
  return hasher.digest_128();
}

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: decode: on request");
}

template <class Bytes>
void grow(Bytes& buffer, std::size_t num_bytes) {
  if (buffer.size() < num_bytes) buffer.resize(num_bytes);
}

// Decoding holds at most OpenCV's four channels of 16 bits and the RGB made of them, 11 bytes; so
// does libjpeg with a progressive picture of four inks. Encoding holds the RGB and a JPEG of at most
// 3 bytes a pixel, once in a buffer that doubles as it grows, once copied: 12.
constexpr std::uint64_t kReencodingBytesPerPx = 12;

}  // namespace

bool has_picture_extension(std::string_view path) {
  constexpr std::array<std::string_view, 18> kExtensions{
      "jpg", "jpeg", "jpe", "jfif", "png",  "bmp",  "tif",  "tiff", "webp",
      "ppm", "pgm",  "pbm", "gif",  "heic", "heif", "avif", "jxl",  "jp2"};
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string extension = ascii_lower(path.substr(dot + 1));
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

ReasonCode reason_of_jpeg_fault(const SampleFault& fault) {
  return fault.status == SampleStatus::kUnsupported ? ReasonCode::kUnsupportedJpeg
                                                    : reason_of_jpeg_text(fault.detail());
}

bool ImageChecker::is_within_limit(const DeclaredSize& size) const noexcept {
  return size.num_px() <= max_px_ && std::max(size.width_px, size.height_px) <= kMaxJpegSidePx;
}

std::uint64_t ImageChecker::reencoding_bytes(std::span<const std::byte> file) {
  const ImageFormat format = detect_format(file);
  std::optional<DeclaredSize> size;
  if (is_foreign_format(format)) {
    size = read_declared_size(format, file);
  } else if (format == ImageFormat::kJpeg) {
    const Result<JpegHeader> header = decoder_.read_header(file);
    if (header.ok() && header.value().components == 4) {
      size = DeclaredSize{header.value().width_px, header.value().height_px};
    }
  }
  return size && is_within_limit(*size) ? size->num_px() * kReencodingBytesPerPx : 0;
}

ImageVerdict ImageChecker::check(std::span<const std::byte> file, std::string_view path,
                                 const std::stop_token& stop) {
  if (file.empty()) return quarantined(ReasonCode::kEmptyFile, "");
  const ImageFormat format = detect_format(file);
  if (format == ImageFormat::kJpeg) return check_jpeg(file, stop);
  if (is_foreign_format(format)) return check_foreign(file, stop);
  switch (format) {
    case ImageFormat::kText:
      if (!has_picture_extension(path)) {
        ImageVerdict verdict;
        verdict.fate = FileFate::kSkippedText;
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
  ImageVerdict verdict =
      picture.raw ? keep_raw(picture.bytes, *picture.raw) : check(picture.bytes, path, stop);
  if (picture.orientation) verdict.record.orientation = *picture.orientation;
  return verdict;
}

ImageVerdict ImageChecker::check_jpeg(std::span<const std::byte> jpeg,
                                      const std::stop_token& stop) {
  const Result<JpegHeader> found = decoder_.read_header(jpeg);
  if (!found.ok()) {
    return quarantined(reason_of_jpeg_fault(found.fault()), std::string(found.fault().detail()));
  }
  const JpegHeader& header = found.value();
  const std::uint64_t num_px = std::uint64_t{header.width_px} * header.height_px;
  if (num_px > max_px_) {
    return quarantined(ReasonCode::kTooManyPixels,
                       fmt::format("{} x {}", header.width_px, header.height_px));
  }
  if (header.components == 1 || header.components == 3) {
    ImageVerdict kept = keep_jpeg(jpeg, header, stop);
    const bool is_to_rewrite = several_scans_ == SeveralScans::kRewritten &&
                               header.has_several_scans && kept.fate == FileFate::kKept;
    return is_to_rewrite ? rewrite(jpeg, std::move(kept), stop) : kept;
  }
  if (header.components != 4) {
    return quarantined(ReasonCode::kUnsupportedJpeg,
                       fmt::format("{} components", header.components));
  }
  const DecodeOutcome pixels = decode_cmyk_jpeg(jpeg);
  if (const auto* const why = std::get_if<std::string>(&pixels)) {
    return quarantined(reason_of_jpeg_text(*why), *why);
  }
  ImageVerdict verdict = reencode(pixels, stop);
  // The pixels were not turned: the source's orientation still holds.
  verdict.record.orientation = read_exif_orientation(jpeg);
  return verdict;
}

ImageVerdict ImageChecker::check_foreign(std::span<const std::byte> file,
                                         const std::stop_token& stop) {
  const ImageFormat format = detect_format(file);
  const std::optional<DeclaredSize> size = read_declared_size(format, file);
  if (!size || size->num_px() == 0) {
    return quarantined(ReasonCode::kDamaged,
                       fmt::format("{} without a whole header", image_format_name(format)));
  }
  if (!is_within_limit(*size)) {
    return quarantined(ReasonCode::kTooManyPixels,
                       fmt::format("{} x {}", size->width_px, size->height_px));
  }
  return reencode(decode_foreign_image(file), stop);
}

ImageVerdict ImageChecker::rewrite(std::span<const std::byte> jpeg, ImageVerdict kept,
                                   const std::stop_token& stop) {
  // What decoding it took is about what rewriting takes again: all coefficients.
  scratch_ = {};
  BaselineOutcome outcome = rewrite_as_baseline(jpeg, stop);
  check_stop(stop);
  auto* const baseline = std::get_if<std::vector<std::byte>>(&outcome);
  if (baseline == nullptr) return kept;
  const Result<JpegHeader> header = decoder_.read_header(*baseline);
  if (!header.ok() || header.value().has_several_scans) return kept;
  const Digest128 expected = pixel_digest(decoded_);
  ImageVerdict verdict = keep_jpeg(*baseline, header.value(), stop);
  if (verdict.fate != FileFate::kKept || pixel_digest(decoded_) != expected) return kept;
  verdict.fate = FileFate::kRewritten;
  verdict.reencoded = std::move(*baseline);
  return verdict;
}

ImageVerdict ImageChecker::reencode(const DecodeOutcome& outcome, const std::stop_token& stop) {
  if (const auto* const why = std::get_if<std::string>(&outcome)) {
    return quarantined(ReasonCode::kDamaged, *why);
  }
  std::vector<std::byte> jpeg = encode_jpeg(std::get<DecodedPixels>(outcome).view());
  const Result<JpegHeader> header = decoder_.read_header(jpeg);
  check_internal(header.ok(), "a re-encoded picture has a header");
  // The statistics are those of the pixels that training will see.
  ImageVerdict verdict = keep_jpeg(jpeg, header.value(), stop);
  check_internal(verdict.fate == FileFate::kKept, "a re-encoded picture decodes");
  verdict.fate = FileFate::kReencoded;
  verdict.reencoded = std::move(jpeg);
  return verdict;
}

ImageVerdict ImageChecker::keep_jpeg(std::span<const std::byte> jpeg, const JpegHeader& header,
                                     const std::stop_token& stop) {
  ImageVerdict verdict;
  verdict.fate = FileFate::kKept;
  verdict.record = record_of(header, read_exif_orientation(jpeg), jpeg.size());
  if (depth_ == CheckDepth::kHeader) return verdict;
  const StoredInfo info = stored_info(verdict.record);
  const DecodeRequest request = whole_picture(header);
  const DecodePrice price = jpeg_decode_price(info, request);
  verdict.decode_scratch_bytes = price.scratch_bytes;
  grow(pixels_, price.decoded_bytes);
  grow(scratch_, price.scratch_bytes);
  const Result<DecodedView> decoded = decoder_.decode(jpeg, info, request, pixels_, scratch_, stop);
  if (!decoded.ok()) {
    check_stop(stop);
    return quarantined(reason_of_jpeg_fault(decoded.fault()),
                       std::string(decoded.fault().detail()));
  }
  decoded_ = decoded.value().image;
  verdict.sums.add(decoded_);
  return verdict;
}

ImageVerdict ImageChecker::keep_raw(std::span<const std::byte> pixels, const RawShape& shape) {
  const ImageView view{.pixels_hwc = reinterpret_cast<const std::uint8_t*>(pixels.data()),
                       .width_px = shape.width_px,
                       .height_px = shape.height_px,
                       .channels = shape.channels,
                       .pixel_stride_bytes = shape.channels,
                       .row_stride_bytes = std::size_t{shape.width_px} * shape.channels};
  check_internal(pixels.size() == view.row_stride_bytes * shape.height_px,
                 "a source gives as many bytes as its pixels have");
  ImageVerdict verdict;
  verdict.fate = FileFate::kKept;
  verdict.record = new_raw(view, {}).record;
  verdict.record.length_bytes = static_cast<std::uint32_t>(pixels.size());
  verdict.sums.add(view);
  return verdict;
}

}  // namespace penstock::convert
