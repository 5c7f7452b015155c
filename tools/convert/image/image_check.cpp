#include "tools/convert/image/image_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "streamer/core/checksum.h"
#include "streamer/core/error.h"
#include "streamer/read/jpeg_record.h"
#include "streamer/read/new_picture.h"
#include "tools/convert/image/exif_orientation.h"
#include "tools/convert/image/foreign_facts.h"
#include "tools/convert/image/foreign_image.h"
#include "tools/convert/image/jpeg_baseline.h"
#include "tools/convert/image/picture_reasons.h"
#include "tools/convert/image/upright.h"

namespace penstock::convert {
namespace {

ImageVerdict quarantined(ReasonCode reason, std::string detail) {
  ImageVerdict verdict;
  verdict.fate = FileFate::kQuarantined;
  verdict.reason = reason;
  verdict.detail = std::move(detail);
  verdict.reasons.add(reason);
  return verdict;
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
  if (text == "more than 500 scans") return ReasonCode::kManyScans;
  // "Corrupt JPEG data: found marker 0x.. instead of RST.."
  const bool is_restart = text.find("instead of RST") != std::string_view::npos;
  return is_restart ? ReasonCode::kRestartError : ReasonCode::kDamaged;
}

// Of every channel, the sum of squares is that of a picture in which all pixels are their mean.
bool is_constant(const PixelSums& sums) {
  if (sums.num_px == 0) return false;
  __extension__ using Wide = unsigned __int128;
  for (std::size_t c = 0; c < sums.sum.size(); ++c) {
    if (Wide{sums.num_px} * sums.sum_of_squares[c] != Wide{sums.sum[c]} * sums.sum[c]) return false;
  }
  return true;
}

std::string sides_text(std::uint64_t width_px, std::uint64_t height_px) {
  return fmt::format("{} x {}", width_px, height_px);
}

IndexRecord record_of(const JpegHeader& header, std::uint8_t orientation, std::size_t num_bytes) {
  IndexRecord record = jpeg_record(header);
  record.length_bytes = static_cast<std::uint32_t>(num_bytes);
  record.orientation = orientation;
  return record;
}

// What libjpeg and the loader keep from picture to picture; a larger one's memory is given back.
constexpr std::uint64_t kKeptScratchBytes = 4u << 20;

DecodeRequest whole_picture(const JpegHeader& header) {
  return {.region = {0, 0, header.width_px, header.height_px}, .decode_scale = 1, .channels = 3};
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

// Those for which a JPEG can be coded anew, with the same pixels.
ReasonSet coding_reasons(const ReasonSet& reasons) {
  ReasonSet of_coding;
  for (const ReasonCode code : {ReasonCode::kProgressive, ReasonCode::kManyScans,
                                ReasonCode::kArithmetic, ReasonCode::kMissingHuffmanTables}) {
    of_coding.add_if(reasons.has(code), code);
  }
  return of_coding;
}

// Rows and tables of libjpeg, for the largest sides.
constexpr std::uint64_t kSmallBytes = 64u << 20;

}  // namespace

void apply_policies(ImageVerdict& verdict, const ReasonPolicies& policies) {
  if (!is_stored(verdict.fate)) return;
  const auto forbidden = policies.first_with(Policy::kQuarantine, verdict.reasons);
  if (!forbidden) return;
  ImageVerdict other = quarantined(*forbidden, "");
  other.reasons.add(verdict.reasons);
  verdict = std::move(other);
}

void add_seen_reasons(ImageVerdict& verdict) {
  if (!is_stored(verdict.fate)) return;
  verdict.reasons.add(reasons_of_shape(verdict.record.width_px, verdict.record.height_px));
  verdict.reasons.add_if(is_constant(verdict.sums), ReasonCode::kConstant);
}

ReasonCode reason_of_jpeg_fault(const SampleFault& fault) {
  return fault.status == SampleStatus::kUnsupported ? ReasonCode::kUnsupportedJpeg
                                                    : reason_of_jpeg_text(fault.detail());
}

ImageChecker::ImageChecker(std::uint64_t max_px, CheckDepth depth, SeveralScans several_scans,
                           const PictureFixes& fixes)
    : max_px_(max_px), depth_(depth), fixes_(fixes) {
  if (several_scans == SeveralScans::kRewritten) {
    fixes_.policies.set(ReasonCode::kProgressive, Policy::kFix);
  }
}

bool ImageChecker::is_within_limit(const DeclaredSize& size) const noexcept {
  return size.num_px() <= max_px_ && std::max(size.width_px, size.height_px) <= kMaxJpegSidePx;
}

std::uint64_t ImageChecker::reencoding_bytes(std::span<const std::byte> file) {
  const ImageFormat format = detect_format(file);
  if (is_foreign_format(format)) {
    const std::optional<DeclaredSize> size = read_declared_size(format, file);
    return size && is_within_limit(*size) ? size->num_px() * kReencodingBytesPerPx : 0;
  }
  if (format != ImageFormat::kJpeg) return 0;
  const Result<JpegHeader> header = decoder_.read_header(file);
  if (!header.ok()) return 0;
  const std::uint64_t num_px = std::uint64_t{header.value().width_px} * header.value().height_px;
  const ReasonPolicies& policies = fixes_.policies;
  if (num_px > max_px_) {
    return policies.fixes(ReasonCode::kTooManyPixels) ? max_px_ * 2 * kReencodingBytesPerPx : 0;
  }
  const bool may_be_reencoded =
      header.value().components == 4 || policies.fixes(ReasonCode::kTruncated) ||
      policies.fixes(ReasonCode::kRestartError) || policies.fixes(ReasonCode::kDamaged) ||
      policies.fixes(ReasonCode::kExifOrientation);
  return may_be_reencoded ? num_px * kReencodingBytesPerPx : 0;
}

std::uint64_t ImageChecker::checking_bytes(const SourcePicture& picture) {
  if (picture.raw) return 0;
  const ImageFormat format = detect_format(picture.bytes);
  if (is_foreign_format(format)) return foreign_checking_bytes(format, picture.bytes);
  return format == ImageFormat::kJpeg ? jpeg_checking_bytes(picture.bytes) : 0;
}

// What is refused before it is decoded takes nothing, whatever it declares.
std::uint64_t ImageChecker::foreign_checking_bytes(ImageFormat format,
                                                   std::span<const std::byte> file) {
  const ForeignFacts facts = read_foreign_facts(format, file);
  if (facts.fault && !is_tried(*facts.fault)) return 0;
  return reencoding_bytes(file) + facts.rebuilt.size();
}

std::uint64_t ImageChecker::jpeg_checking_bytes(std::span<const std::byte> jpeg) {
  const Result<JpegHeader> found = decoder_.read_header(jpeg);
  if (!found.ok()) return 0;
  const JpegHeader& header = found.value();
  const bool counts_scans = depth_ == CheckDepth::kDecode && header.has_several_scans;
  const JpegStructure structure =
      read_jpeg_structure(jpeg, counts_scans ? JpegExtent::kWhole : JpegExtent::kHeader);
  if (is_jpeg_bomb(structure, jpeg.size())) return 0;
  const std::uint64_t reencoded_bytes = reencoding_bytes(jpeg);
  const bool is_stored_as_jpeg = header.components == 1 || header.components == 3;
  if (!is_stored_as_jpeg || !is_within_limit({header.width_px, header.height_px})) {
    return reencoded_bytes;
  }
  const bool is_mended = is_mended_by_header(reasons_of_jpeg(structure, jpeg.size()));
  if (depth_ == CheckDepth::kHeader && !is_mended) return 0;
  const IndexRecord record = record_of(header, 1, jpeg.size());
  const std::uint64_t scratch_bytes =
      jpeg_decode_price(stored_info(record), whole_picture(header)).scratch_bytes;
  if (!is_mended) {
    const bool is_cut = fixes_.policies.fixes(ReasonCode::kBytesAfterEnd) ||
                        fixes_.policies.fixes(ReasonCode::kSecondPicture);
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

bool ImageChecker::is_tried(ReasonCode fault) const {
  return fault == ReasonCode::kBadCrc && fixes_.policies.fixes(fault);
}

bool ImageChecker::is_mended_by_header(const ReasonSet& reasons) const {
  const auto is_fixed = [&](ReasonCode code) { return fixes_.policies.fixes(code); };
  return coding_reasons(reasons).first(is_fixed).has_value() ||
         (reasons.has(ReasonCode::kExifOrientation) && is_fixed(ReasonCode::kExifOrientation));
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
  apply_policies(verdict, fixes_.policies);
  return verdict;
}

ImageVerdict ImageChecker::check_format(ImageFormat format, std::span<const std::byte> file,
                                        std::string_view path, const std::stop_token& stop) {
  if (format == ImageFormat::kJpeg) return check_jpeg(file, stop);
  if (is_foreign_format(format)) return check_foreign(format, file, stop);
  switch (format) {
    case ImageFormat::kText:
      if (!has_picture_extension(path)) {
        ImageVerdict verdict = quarantined(ReasonCode::kText, "");
        if (fixes_.policies[ReasonCode::kText] == Policy::kSkip) {
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
    verdict = keep_raw(picture.bytes, *picture.raw);
    verdict.reasons.add_if(picture.raw->channels == 1, ReasonCode::kGrayscale);
    add_seen_reasons(verdict);
    apply_policies(verdict, fixes_.policies);
  } else {
    verdict = check(picture.bytes, path, stop);
  }
  const bool is_turned = verdict.mended.has(ReasonCode::kExifOrientation);
  if (picture.orientation && !is_turned) verdict.record.orientation = *picture.orientation;
  return verdict;
}

ImageVerdict ImageChecker::check_jpeg(std::span<const std::byte> jpeg,
                                      const std::stop_token& stop) {
  const JpegStructure structure = read_jpeg_structure(
      jpeg, depth_ == CheckDepth::kDecode ? JpegExtent::kWhole : JpegExtent::kHeader);
  if (structure.has_frame() && (structure.width_px == 0 || structure.height_px == 0)) {
    return quarantined(ReasonCode::kZeroSides, sides_text(structure.width_px, structure.height_px));
  }
  const Result<JpegHeader> found = decoder_.read_header(jpeg);
  if (!found.ok()) {
    return quarantined(reason_of_jpeg_fault(found.fault()), std::string(found.fault().detail()));
  }
  ImageVerdict verdict = check_readable_jpeg(jpeg, found.value(), structure, stop);
  verdict.reasons.add(reasons_of_jpeg(structure, jpeg.size()));
  return verdict;
}

ImageVerdict ImageChecker::check_readable_jpeg(std::span<const std::byte> jpeg,
                                               const JpegHeader& header,
                                               const JpegStructure& structure,
                                               const std::stop_token& stop) {
  const std::uint64_t num_px = std::uint64_t{header.width_px} * header.height_px;
  if (is_jpeg_bomb(structure, jpeg.size())) {
    const ReasonCode reason =
        num_px > max_px_ ? ReasonCode::kTooManyPixels : ReasonCode::kDecompressionBomb;
    return quarantined(reason, sides_text(header.width_px, header.height_px));
  }
  if (num_px > max_px_) return scale_down(jpeg, header, stop);
  if (header.components == 1 || header.components == 3) {
    const bool is_mended = is_mended_by_header(reasons_of_jpeg(structure, jpeg.size()));
    const bool is_decoded = is_mended || depth_ == CheckDepth::kDecode;
    ImageVerdict kept = keep_jpeg(jpeg, header,
                                  {.depth = is_decoded ? CheckDepth::kDecode : CheckDepth::kHeader,
                                   .takes_digest = is_mended},
                                  stop);
    if (kept.fate == FileFate::kQuarantined) {
      return fixes_.policies.fixes(kept.reason) ? guess(jpeg, structure, std::move(kept), stop)
                                                : kept;
    }
    return is_decoded ? fix_bytes(jpeg, structure, std::move(kept), stop) : kept;
  }
  if (header.components != 4) {
    return quarantined(ReasonCode::kUnsupportedJpeg,
                       fmt::format("{} components", header.components));
  }
  ImageVerdict verdict = read_and_reencode(jpeg, {}, stop);
  verdict.mended.add(structure.adobe_transform == 2 ? ReasonCode::kYcck : ReasonCode::kCmyk);
  if (verdict.fate == FileFate::kQuarantined && fixes_.policies.fixes(verdict.reason)) {
    return guess(jpeg, structure, std::move(verdict), stop);
  }
  return verdict;
}

ImageVerdict ImageChecker::read_and_reencode(std::span<const std::byte> jpeg,
                                             const JpegReading& reading,
                                             const std::stop_token& stop) {
  DecodeOutcome outcome = read_jpeg(jpeg, reading, stop);
  if (const auto* const why = std::get_if<std::string>(&outcome)) {
    check_stop(stop);
    return quarantined(reason_of_jpeg_text(*why), *why);
  }
  const std::uint8_t orientation = read_exif_orientation(jpeg);
  return reencode(std::get<DecodedPixels>(outcome), orientation, stop);
}

ImageVerdict ImageChecker::scale_down(std::span<const std::byte> jpeg, const JpegHeader& header,
                                      const std::stop_token& stop) {
  const std::string sides = sides_text(header.width_px, header.height_px);
  if (!fixes_.policies.fixes(ReasonCode::kTooManyPixels)) {
    return quarantined(ReasonCode::kTooManyPixels, sides);
  }
  ImageVerdict verdict = read_and_reencode(
      jpeg, {.max_px = max_px_, .max_scratch_bytes = max_px_ * kReencodingBytesPerPx + kSmallBytes},
      stop);
  if (verdict.fate == FileFate::kQuarantined) {
    verdict.reasons.add(ReasonCode::kTooManyPixels);
    return verdict;
  }
  verdict.reason = ReasonCode::kTooManyPixels;
  verdict.reasons.add(verdict.reason);
  verdict.mended.add(verdict.reason);
  verdict.loss = fmt::format("{} px scaled down to {}", sides,
                             sides_text(verdict.record.width_px, verdict.record.height_px));
  return verdict;
}

ImageVerdict ImageChecker::guess(std::span<const std::byte> jpeg, const JpegStructure& structure,
                                 ImageVerdict damaged, const std::stop_token& stop) {
  const bool has_data = structure.data_at != 0 && structure.data_at < jpeg.size();
  if (!has_data) return damaged;
  ImageVerdict verdict = read_and_reencode(jpeg, {.tolerates_damage = true}, stop);
  if (verdict.fate == FileFate::kQuarantined) return damaged;
  verdict.reason = damaged.reason;
  verdict.reasons.add(damaged.reasons);
  verdict.mended.add(damaged.mended);
  verdict.mended.add(damaged.reason);
  verdict.loss = "stored as libjpeg guesses it: " + damaged.detail;
  return verdict;
}

ImageVerdict ImageChecker::fix_bytes(std::span<const std::byte> jpeg,
                                     const JpegStructure& structure, ImageVerdict kept,
                                     const std::stop_token& stop) {
  const ReasonSet reasons = reasons_of_jpeg(structure, jpeg.size());
  const ReasonSet of_coding = coding_reasons(reasons);
  const auto is_fixed = [&](ReasonCode code) { return fixes_.policies.fixes(code); };
  ReasonSet cut;
  for (const ReasonCode code : {ReasonCode::kBytesAfterEnd, ReasonCode::kSecondPicture}) {
    cut.add_if(reasons.has(code) && is_fixed(code), code);
  }
  if (!cut.empty()) jpeg = jpeg.first(structure.size_bytes);
  if (reasons.has(ReasonCode::kExifOrientation) && is_fixed(ReasonCode::kExifOrientation)) {
    kept = turn(jpeg, std::move(kept), stop);
    if (kept.fate == FileFate::kRewritten) kept.mended.add(of_coding);
    kept.mended.add(cut);
    return kept;
  }
  if (of_coding.first(is_fixed)) {
    ImageVerdict rewritten = rewrite(jpeg, kept, stop);
    if (rewritten.fate == FileFate::kRewritten) {
      rewritten.mended.add(of_coding);
      rewritten.mended.add(cut);
      return rewritten;
    }
  }
  if (cut.empty()) return kept;
  kept.fate = FileFate::kRewritten;
  kept.record.length_bytes = static_cast<std::uint32_t>(jpeg.size());
  kept.reencoded.assign(jpeg.begin(), jpeg.end());
  kept.mended.add(cut);
  return kept;
}

ImageVerdict ImageChecker::turn(std::span<const std::byte> jpeg, ImageVerdict kept,
                                const std::stop_token& stop) {
  const std::uint8_t orientation = kept.record.orientation;
  BaselineOutcome outcome = rewrite_upright(jpeg, orientation, stop);
  check_stop(stop);
  if (auto* const bytes = std::get_if<std::vector<std::byte>>(&outcome)) {
    const Result<JpegHeader> header = decoder_.read_header(*bytes);
    if (header.ok()) {
      ImageVerdict turned = keep_jpeg(*bytes, header.value(), {.depth = CheckDepth::kDecode}, stop);
      if (turned.fate == FileFate::kKept) {
        turned.fate = FileFate::kRewritten;
        turned.reencoded = std::move(*bytes);
        turned.mended.add(ReasonCode::kExifOrientation);
        return turned;
      }
    }
  }
  ImageVerdict reencoded = read_and_reencode(jpeg, {}, stop);  // which turns as well
  return reencoded.fate == FileFate::kReencoded ? reencoded : kept;
}

ImageVerdict ImageChecker::check_foreign(ImageFormat format, std::span<const std::byte> file,
                                         const std::stop_token& stop) {
  ForeignFacts facts = read_foreign_facts(format, file);
  const bool has_sides = facts.size.num_px() > 0;
  if (has_sides && !is_within_limit(facts.size)) {
    ImageVerdict verdict = quarantined(ReasonCode::kTooManyPixels,
                                       sides_text(facts.size.width_px, facts.size.height_px));
    verdict.reasons.add(facts.reasons);
    return verdict;
  }
  if (facts.fault) {
    ImageVerdict verdict = quarantined(*facts.fault, facts.detail);
    verdict.reasons.add(facts.reasons);
    if (!is_tried(*facts.fault)) return verdict;
  }
  const DecodeOutcome outcome = decode_foreign_image(
      facts.rebuilt.empty() ? file : std::span<const std::byte>(facts.rebuilt), fixes_.background);
  if (const auto* const why = std::get_if<std::string>(&outcome)) {
    // What lacks its end, and does not decode either, lacks more.
    const bool is_cut = facts.reasons.has(ReasonCode::kMissingEnd);
    facts.reasons.remove(ReasonCode::kMissingEnd);
    ImageVerdict verdict =
        quarantined(is_cut ? ReasonCode::kTruncated : foreign_reason(*why), *why);
    verdict.reasons.add(facts.reasons);
    return verdict;
  }
  const auto& pixels = std::get<DecodedPixels>(outcome);
  ImageVerdict verdict = reencode(pixels, facts.orientation, stop);
  verdict.reasons.add(facts.reasons);
  verdict.reasons.add(ReasonCode::kOtherFormat);
  verdict.reasons.add_if(pixels.had_alpha, ReasonCode::kTransparency);
  verdict.reasons.add_if(pixels.had_16_bits, ReasonCode::kSixteenBit);
  verdict.reasons.add_if(pixels.channels == 1, ReasonCode::kGrayscale);
  verdict.reasons.add_if(facts.orientation != 1, ReasonCode::kExifOrientation);
  for (const ReasonCode code :
       {ReasonCode::kOtherFormat, ReasonCode::kTransparency, ReasonCode::kSixteenBit,
        ReasonCode::kAnimated, ReasonCode::kMissingEnd, ReasonCode::kBadCrc}) {
    verdict.mended.add_if(verdict.reasons.has(code), code);
  }
  if (facts.fault) {
    verdict.reason = *facts.fault;
    verdict.loss = "stored in spite of it: " + facts.detail;
  }
  return verdict;
}

ImageVerdict ImageChecker::rewrite(std::span<const std::byte> jpeg, ImageVerdict kept,
                                   const std::stop_token& stop) {
  // What decoding it took is about what rewriting takes again: all coefficients.
  std::vector<std::byte>().swap(scratch_);
  BaselineOutcome outcome = rewrite_as_baseline(jpeg, stop);
  check_stop(stop);
  auto* const baseline = std::get_if<std::vector<std::byte>>(&outcome);
  if (baseline == nullptr) return kept;
  const Result<JpegHeader> header = decoder_.read_header(*baseline);
  if (!header.ok() || header.value().has_several_scans) return kept;
  const Digest128 expected = decoded_digest_;
  ImageVerdict verdict = keep_jpeg(*baseline, header.value(),
                                   {.depth = CheckDepth::kDecode, .takes_digest = true}, stop);
  if (verdict.fate != FileFate::kKept || decoded_digest_ != expected) return kept;
  verdict.fate = FileFate::kRewritten;
  verdict.reencoded = std::move(*baseline);
  return verdict;
}

ImageVerdict ImageChecker::reencode(const DecodedPixels& pixels, std::uint8_t orientation,
                                    const std::stop_token& stop) {
  const bool is_turned = orientation != 1 && fixes_.policies.fixes(ReasonCode::kExifOrientation);
  std::vector<std::byte> jpeg = is_turned ? encode_jpeg(turned_upright(pixels, orientation).view())
                                          : encode_jpeg(pixels.view());
  const Result<JpegHeader> header = decoder_.read_header(jpeg);
  check_internal(header.ok(), "a re-encoded picture has a header");
  // The statistics are those of the pixels that training will see.
  ImageVerdict verdict = keep_jpeg(jpeg, header.value(), {.depth = depth_}, stop);
  check_internal(verdict.fate == FileFate::kKept, "a re-encoded picture decodes");
  verdict.fate = FileFate::kReencoded;
  verdict.reencoded = std::move(jpeg);
  verdict.record.orientation = is_turned ? 1 : orientation;
  if (is_turned) verdict.mended.add(ReasonCode::kExifOrientation);
  return verdict;
}

ImageVerdict ImageChecker::keep_jpeg(std::span<const std::byte> jpeg, const JpegHeader& header,
                                     Reading reading, const std::stop_token& stop) {
  ImageVerdict verdict;
  verdict.fate = FileFate::kKept;
  verdict.record = record_of(header, read_exif_orientation(jpeg), jpeg.size());
  const StoredInfo info = stored_info(verdict.record);
  verdict.decode_scratch_bytes = jpeg_decode_price(info, whole_picture(header)).scratch_bytes;
  if (reading.depth == CheckDepth::kHeader) return verdict;
  grow(scratch_, verdict.decode_scratch_bytes);
  grow(strip_, std::max(kStripBytes, std::uint64_t{header.width_px} * 3));
  StreamHasher hasher;
  const Result<StripsDone> decoded = decoder_.decode_in_strips(
      jpeg, info, strip_, scratch_,
      [&](const ImageView& rows) {
        verdict.sums.add(rows);
        if (reading.takes_digest) {
          hasher.update(
              std::as_bytes(std::span(rows.pixels_hwc, rows.row_stride_bytes * rows.height_px)));
        }
      },
      stop);
  if (scratch_.size() > kKeptScratchBytes) std::vector<std::byte>().swap(scratch_);
  if (!decoded.ok()) {
    check_stop(stop);
    return quarantined(reason_of_jpeg_fault(decoded.fault()),
                       std::string(decoded.fault().detail()));
  }
  if (reading.takes_digest) decoded_digest_ = hasher.digest_128();
  return verdict;
}

ImageVerdict ImageChecker::keep_raw(std::span<const std::byte> pixels,
                                    const RawShape& shape) const {
  if (std::uint64_t{shape.width_px} * shape.height_px > max_px_) {
    return quarantined(ReasonCode::kTooManyPixels, sides_text(shape.width_px, shape.height_px));
  }
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
