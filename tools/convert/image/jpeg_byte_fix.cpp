#include "tools/convert/image/jpeg_byte_fix.h"

#include <fmt/core.h>

#include <utility>
#include <variant>
#include <vector>

#include "streamer/core/memory_budget.h"
#include "streamer/read/jpeg_price.h"
#include "streamer/read/jpeg_restart.h"
#include "tools/convert/image/jpeg_baseline.h"
#include "tools/convert/image/picture_reasons.h"
#include "tools/convert/image/picture_reencoding.h"

namespace penstock::convert {
namespace {

// Those for which a JPEG can be coded anew, with the same pixels.
ReasonSet coding_reasons(const ReasonSet& reasons) {
  ReasonSet of_coding;
  for (const ReasonCode code :
       {ReasonCode::kProgressive, ReasonCode::kManyScans, ReasonCode::kLargeCoefficients,
        ReasonCode::kArithmetic, ReasonCode::kMissingHuffmanTables}) {
    of_coding.add_if(reasons.has(code), code);
  }
  return of_coding;
}

// Returns `kept` where it cannot be rewritten.
ImageVerdict rewrite(std::span<const std::byte> jpeg, ImageVerdict kept, StoredPictureCheck& check,
                     const std::stop_token& stop) {
  // What decoding it took is about what rewriting takes again: all coefficients.
  check.release_scratch();
  BaselineOutcome outcome = rewrite_as_baseline(jpeg, stop);
  check_decode_stop(stop);
  auto* const baseline = std::get_if<std::vector<std::byte>>(&outcome);
  if (baseline == nullptr) return kept;
  const Result<JpegHeader> header = check.read_header(*baseline);
  if (!header.ok() || header.value().has_several_scans) return kept;
  const Digest128 expected = check.last_digest();
  ImageVerdict verdict = check.check_jpeg(
      *baseline, header.value(), {.depth = CheckDepth::kDecode, .takes_digest = true}, stop);
  if (verdict.fate != FileFate::kKept || check.last_digest() != expected) return kept;
  verdict.fate = FileFate::kRewritten;
  verdict.reencoded = std::move(*baseline);
  return verdict;
}

ImageVerdict turn(std::span<const std::byte> jpeg, ImageVerdict kept, const CheckSettings& settings,
                  StoredPictureCheck& check, const std::stop_token& stop) {
  const std::uint8_t orientation = kept.record.orientation;
  BaselineOutcome outcome = rewrite_upright(jpeg, orientation, stop);
  check_decode_stop(stop);
  if (auto* const bytes = std::get_if<std::vector<std::byte>>(&outcome)) {
    const Result<JpegHeader> header = check.read_header(*bytes);
    if (header.ok()) {
      ImageVerdict turned =
          check.check_jpeg(*bytes, header.value(), {.depth = CheckDepth::kDecode}, stop);
      if (turned.fate == FileFate::kKept) {
        turned.fate = FileFate::kRewritten;
        turned.reencoded = std::move(*bytes);
        turned.mended.add(ReasonCode::kExifOrientation);
        return turned;
      }
    }
  }
  ImageVerdict reencoded = reencode_jpeg(jpeg, {}, settings, check, stop);  // which turns as well
  return reencoded.fate == FileFate::kReencoded ? reencoded : kept;
}

// Rewritten bytes end with the picture.
void add_cut_off(const ReasonSet& reasons, ImageVerdict& rewritten) {
  for (const ReasonCode code : {ReasonCode::kBytesAfterEnd, ReasonCode::kSecondPicture}) {
    rewritten.mended.add_if(reasons.has(code), code);
  }
}

// As they would be held if the picture were in several scans: what rewriting it takes.
std::uint64_t coefficient_bytes(const OrdinaryJpeg& jpeg) {
  IndexRecord record = record_of_jpeg(jpeg.header, 1, jpeg.bytes.size());
  record.flags |= kFlagProgressive;
  return jpeg_coefficient_bytes(stored_info(record));
}

ImageVerdict fixed(const OrdinaryJpeg& jpeg, const ReasonSet& reasons, ImageVerdict kept,
                   const CheckSettings& settings, StoredPictureCheck& check,
                   const std::stop_token& stop) {
  const ReasonSet of_coding = coding_reasons(reasons);
  const auto is_fixed = [&](ReasonCode code) { return settings.is_fixed(code); };
  ReasonSet cut;
  for (const ReasonCode code : {ReasonCode::kBytesAfterEnd, ReasonCode::kSecondPicture}) {
    cut.add_if(reasons.has(code) && is_fixed(code), code);
  }
  const auto bytes = cut.empty() ? jpeg.bytes : jpeg.bytes.first(jpeg.structure.size_bytes);
  if (reasons.has(ReasonCode::kExifOrientation) && is_fixed(ReasonCode::kExifOrientation)) {
    kept = turn(bytes, std::move(kept), settings, check, stop);
    if (kept.fate == FileFate::kRewritten) kept.mended.add(of_coding);
    kept.mended.add(cut);
    return kept;
  }
  const bool is_optimized = gains_by_restarts(jpeg, settings);
  if (is_optimized || of_coding.first(is_fixed)) {
    ImageVerdict rewritten = rewrite(bytes, kept, check, stop);
    if (rewritten.fate == FileFate::kRewritten) {
      rewritten.is_optimized = is_optimized;
      rewritten.mended.add(of_coding);
      add_cut_off(reasons, rewritten);
      return rewritten;
    }
  }
  if (cut.empty()) return kept;
  kept.fate = FileFate::kRewritten;
  kept.record.length_bytes = static_cast<std::uint32_t>(bytes.size());
  kept.reencoded.assign(bytes.begin(), bytes.end());
  kept.mended.add(cut);
  return kept;
}

}  // namespace

ReasonSet reasons_of(const OrdinaryJpeg& jpeg, const CheckSettings& settings) {
  ReasonSet reasons = reasons_of_jpeg(jpeg.structure, jpeg.bytes.size());
  reasons.add_if(
      jpeg.header.has_several_scans && coefficient_bytes(jpeg) > settings.max_coefficient_bytes,
      ReasonCode::kLargeCoefficients);
  return reasons;
}

bool gains_by_restarts(const OrdinaryJpeg& jpeg, const CheckSettings& settings) {
  constexpr std::uint32_t kMinUnitRows = 4;
  constexpr std::uint32_t kBlockPx = 8;
  const JpegHeader& header = jpeg.header;
  if (!settings.optimizes_crops || header.has_several_scans ||
      header.height_px <= (kMinUnitRows - 1) * kBlockPx * header.subsampling_y ||
      coefficient_bytes(jpeg) > settings.max_coefficient_bytes) {
    return false;
  }
  const StoredInfo info = stored_info(record_of_jpeg(header, 1, jpeg.bytes.size()));
  return !find_jpeg_entry(jpeg.bytes, info, {.begin = header.height_px - 1, .height = 1}, 1);
}

bool is_mended_by_header(const OrdinaryJpeg& jpeg, const CheckSettings& settings) {
  const ReasonSet reasons = reasons_of(jpeg, settings);
  const auto is_fixed = [&](ReasonCode code) { return settings.is_fixed(code); };
  return coding_reasons(reasons).first(is_fixed).has_value() ||
         (reasons.has(ReasonCode::kExifOrientation) && is_fixed(ReasonCode::kExifOrientation)) ||
         gains_by_restarts(jpeg, settings);
}

ImageVerdict fix_jpeg_bytes(const OrdinaryJpeg& jpeg, ImageVerdict kept,
                            const CheckSettings& settings, StoredPictureCheck& check,
                            const std::stop_token& stop) {
  const ReasonSet reasons = reasons_of(jpeg, settings);
  ImageVerdict verdict = fixed(jpeg, reasons, std::move(kept), settings, check, stop);
  const bool is_too_large = is_stored(verdict.fate) &&
                            (verdict.record.flags & kFlagProgressive) != 0 &&
                            reasons.has(ReasonCode::kLargeCoefficients) &&
                            settings.is_fixed(ReasonCode::kLargeCoefficients);
  if (!is_too_large) return verdict;
  const SizeTexts sizes =
      format_bytes_apart(coefficient_bytes(jpeg), settings.max_coefficient_bytes);
  return quarantined(ReasonCode::kLargeCoefficients,
                     fmt::format("{} of coefficients where {} may be, and one scan cannot hold it",
                                 sizes.needed, sizes.there));
}

}  // namespace penstock::convert
