#include "tools/convert/image/jpeg_check.h"

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <utility>

#include "tools/convert/image/colour_gamut.h"
#include "tools/convert/image/jpeg_byte_fix.h"
#include "tools/convert/image/jpeg_fault.h"
#include "tools/convert/image/jpeg_pixel_fix.h"
#include "tools/convert/image/jpeg_structure.h"
#include "tools/convert/image/picture_reasons.h"
#include "tools/convert/image/picture_reencoding.h"

namespace penstock::convert {
namespace {

// What another coding does away with.
ReasonSet reasons_of_coding(const ReasonSet& reasons) {
  ReasonSet of_coding;
  for (const ReasonCode code :
       {ReasonCode::kProgressive, ReasonCode::kManyScans, ReasonCode::kArithmetic,
        ReasonCode::kMissingHuffmanTables, ReasonCode::kBytesAfterEnd, ReasonCode::kSecondPicture,
        ReasonCode::kManyMarkers, ReasonCode::kOddSubsampling, ReasonCode::kAdobeRgb,
        ReasonCode::kRgbComponentIds}) {
    of_coding.add_if(reasons.has(code), code);
  }
  return of_coding;
}

// Another size, other colours, another codec or a lower quality than it has.
ImageVerdict encode_as_asked(std::span<const std::byte> jpeg, const JpegStructure& structure,
                             const CheckSettings& settings, StoredPictureCheck& check,
                             const std::stop_token& stop) {
  ImageVerdict verdict = reencode_jpeg(jpeg, {.keeps_profile = is_wide_gamut_icc(structure.icc)},
                                       settings, check, stop);
  if (verdict.fate == FileFate::kQuarantined) {
    return settings.is_fixed(verdict.reason)
               ? guess(jpeg, structure, std::move(verdict), settings, check, stop)
               : verdict;
  }
  verdict.mended.add(reasons_of_coding(reasons_of_jpeg(structure, jpeg.size())));
  return verdict;
}

// Of one or three components: stored as it is, but for what is to be mended.
ImageVerdict check_ordinary_jpeg(std::span<const std::byte> jpeg, const JpegHeader& header,
                                 const JpegStructure& structure, const CheckSettings& settings,
                                 StoredPictureCheck& check, const std::stop_token& stop) {
  const OrdinaryJpeg ordinary{.bytes = jpeg, .header = header, .structure = structure};
  const bool is_mended = is_mended_by_header(ordinary, settings);
  const bool is_decoded = is_mended || settings.depth == CheckDepth::kDecode;
  ImageVerdict kept = check.check_jpeg(
      jpeg, header,
      {.depth = is_decoded ? CheckDepth::kDecode : CheckDepth::kHeader, .takes_digest = is_mended},
      stop);
  if (kept.fate == FileFate::kQuarantined) {
    return settings.is_fixed(kept.reason)
               ? guess(jpeg, structure, std::move(kept), settings, check, stop)
               : kept;
  }
  if (is_decoded) kept = fix_jpeg_bytes(ordinary, std::move(kept), settings, check, stop);
  kept.reasons.add(reasons_of(ordinary, settings));
  return kept;
}

ImageVerdict check_readable_jpeg(std::span<const std::byte> jpeg, const JpegHeader& header,
                                 const JpegStructure& structure, const CheckSettings& settings,
                                 StoredPictureCheck& check, const std::stop_token& stop) {
  const std::uint64_t num_px = std::uint64_t{header.width_px} * header.height_px;
  if (is_jpeg_bomb(structure, jpeg.size())) {
    const ReasonCode reason =
        num_px > settings.max_px ? ReasonCode::kTooManyPixels : ReasonCode::kDecompressionBomb;
    return quarantined(reason, sides_text(header.width_px, header.height_px));
  }
  if (num_px > settings.max_px) return scale_down(jpeg, header, settings, check, stop);
  if (header.components == 1 || header.components == 3) {
    const SidesPx sides{header.width_px, header.height_px};
    if (asks_for_encoding(jpeg, sides, header.components, settings.encode)) {
      return encode_as_asked(jpeg, structure, settings, check, stop);
    }
    return check_ordinary_jpeg(jpeg, header, structure, settings, check, stop);
  }
  if (header.components != 4) {
    return quarantined(ReasonCode::kUnsupportedJpeg,
                       fmt::format("{} components", header.components));
  }
  ImageVerdict verdict = reencode_jpeg(jpeg, {}, settings, check, stop);
  verdict.mended.add(structure.adobe_transform == 2 ? ReasonCode::kYcck : ReasonCode::kCmyk);
  if (verdict.fate == FileFate::kQuarantined && settings.is_fixed(verdict.reason)) {
    return guess(jpeg, structure, std::move(verdict), settings, check, stop);
  }
  return verdict;
}

}  // namespace

ImageVerdict check_jpeg(std::span<const std::byte> jpeg, const CheckSettings& settings,
                        StoredPictureCheck& check, const std::stop_token& stop) {
  const JpegStructure structure = read_jpeg_structure(
      jpeg, settings.depth == CheckDepth::kDecode ? JpegExtent::kWhole : JpegExtent::kHeader);
  if (structure.has_frame() && (structure.width_px == 0 || structure.height_px == 0)) {
    return quarantined(ReasonCode::kZeroSides, sides_text(structure.width_px, structure.height_px));
  }
  const Result<JpegHeader> found = check.read_header(jpeg);
  if (!found.ok()) {
    return quarantined(reason_of_jpeg_fault(found.fault()), std::string(found.fault().detail()));
  }
  ImageVerdict verdict = check_readable_jpeg(jpeg, found.value(), structure, settings, check, stop);
  verdict.reasons.add(reasons_of_jpeg(structure, jpeg.size()));
  return verdict;
}

}  // namespace penstock::convert
