#include "tools/convert/image/jpeg_pixel_fix.h"

#include <fmt/core.h>

#include <string>

#include "tools/convert/image/checking_price.h"
#include "tools/convert/image/picture_reencoding.h"

namespace penstock::convert {
namespace {

// Rows and tables of libjpeg, for the largest sides.
constexpr std::uint64_t kSmallBytes = 64u << 20;

}  // namespace

ImageVerdict scale_down(std::span<const std::byte> jpeg, const JpegHeader& header,
                        const CheckSettings& settings, StoredPictureCheck& check,
                        const std::stop_token& stop) {
  const std::string sides = sides_text(header.width_px, header.height_px);
  if (!settings.is_fixed(ReasonCode::kTooManyPixels)) {
    return quarantined(ReasonCode::kTooManyPixels, sides);
  }
  ImageVerdict verdict =
      reencode_jpeg(jpeg,
                    {.max_px = settings.max_px,
                     .max_scratch_bytes = settings.max_px * kReencodingBytesPerPx + kSmallBytes},
                    settings, check, stop);
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

ImageVerdict guess(std::span<const std::byte> jpeg, const JpegStructure& structure,
                   ImageVerdict damaged, const CheckSettings& settings, StoredPictureCheck& check,
                   const std::stop_token& stop) {
  const bool has_data = structure.data_at != 0 && structure.data_at < jpeg.size();
  if (!has_data) return damaged;
  ImageVerdict verdict = reencode_jpeg(jpeg, {.tolerates_damage = true}, settings, check, stop);
  if (verdict.fate == FileFate::kQuarantined) return damaged;
  verdict.reason = damaged.reason;
  verdict.reasons.add(damaged.reasons);
  verdict.mended.add(damaged.mended);
  verdict.mended.add(damaged.reason);
  verdict.loss = "stored as libjpeg guesses it: " + damaged.detail;
  return verdict;
}

}  // namespace penstock::convert
