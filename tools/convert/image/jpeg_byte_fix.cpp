#include "tools/convert/image/jpeg_byte_fix.h"

#include <utility>
#include <variant>
#include <vector>

#include "tools/convert/image/jpeg_baseline.h"
#include "tools/convert/image/picture_reasons.h"
#include "tools/convert/image/picture_reencoding.h"

namespace penstock::convert {
namespace {

// Those for which a JPEG can be coded anew, with the same pixels.
ReasonSet coding_reasons(const ReasonSet& reasons) {
  ReasonSet of_coding;
  for (const ReasonCode code : {ReasonCode::kProgressive, ReasonCode::kManyScans,
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

}  // namespace

bool is_mended_by_header(const ReasonSet& reasons, const CheckSettings& settings) {
  const auto is_fixed = [&](ReasonCode code) { return settings.is_fixed(code); };
  return coding_reasons(reasons).first(is_fixed).has_value() ||
         (reasons.has(ReasonCode::kExifOrientation) && is_fixed(ReasonCode::kExifOrientation));
}

ImageVerdict fix_jpeg_bytes(std::span<const std::byte> jpeg, const JpegStructure& structure,
                            ImageVerdict kept, const CheckSettings& settings,
                            StoredPictureCheck& check, const std::stop_token& stop) {
  const ReasonSet reasons = reasons_of_jpeg(structure, jpeg.size());
  const ReasonSet of_coding = coding_reasons(reasons);
  const auto is_fixed = [&](ReasonCode code) { return settings.is_fixed(code); };
  ReasonSet cut;
  for (const ReasonCode code : {ReasonCode::kBytesAfterEnd, ReasonCode::kSecondPicture}) {
    cut.add_if(reasons.has(code) && is_fixed(code), code);
  }
  if (!cut.empty()) jpeg = jpeg.first(structure.size_bytes);
  if (reasons.has(ReasonCode::kExifOrientation) && is_fixed(ReasonCode::kExifOrientation)) {
    kept = turn(jpeg, std::move(kept), settings, check, stop);
    if (kept.fate == FileFate::kRewritten) kept.mended.add(of_coding);
    kept.mended.add(cut);
    return kept;
  }
  if (of_coding.first(is_fixed)) {
    ImageVerdict rewritten = rewrite(jpeg, kept, check, stop);
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

}  // namespace penstock::convert
