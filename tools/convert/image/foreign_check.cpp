#include "tools/convert/image/foreign_check.h"

#include <string>
#include <variant>

#include "tools/convert/image/foreign_facts.h"
#include "tools/convert/image/foreign_image.h"
#include "tools/convert/image/picture_reencoding.h"

namespace penstock::convert {

ImageVerdict check_foreign(ImageFormat format, std::span<const std::byte> file,
                           const CheckSettings& settings, StoredPictureCheck& check,
                           const std::stop_token& stop) {
  ForeignFacts facts = read_foreign_facts(format, file);
  const bool has_sides = facts.size.num_px() > 0;
  if (has_sides && !settings.is_within_limit(facts.size)) {
    ImageVerdict verdict = quarantined(ReasonCode::kTooManyPixels,
                                       sides_text(facts.size.width_px, facts.size.height_px));
    verdict.reasons.add(facts.reasons);
    return verdict;
  }
  if (facts.fault) {
    ImageVerdict verdict = quarantined(*facts.fault, facts.detail);
    verdict.reasons.add(facts.reasons);
    if (!settings.is_tried(*facts.fault)) return verdict;
  }
  const DecodeOutcome outcome =
      decode_foreign_image(facts.rebuilt.empty() ? file : std::span<const std::byte>(facts.rebuilt),
                           settings.fixes.background);
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
  ImageVerdict verdict = reencode(pixels, facts.orientation, settings, check, stop);
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

}  // namespace penstock::convert
