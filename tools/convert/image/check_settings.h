// What a user chose about the check of a picture.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tools/convert/image/encode_settings.h"
#include "tools/convert/image/image_format.h"
#include "tools/convert/image/rgb_colour.h"
#include "tools/convert/reason/reason_policies.h"

namespace penstock::convert {

/// What a user chose to have done about pictures that are not ordinary ones.
struct PictureFixes {
  ReasonPolicies policies{};
  RgbColour background{};
};

/// What becomes of a JPEG of several scans (progressive), which the loader decodes from a memory of
/// all its coefficients.
enum class SeveralScans : std::uint8_t {
  kKept,
  kRewritten,  // where that changes no pixel; else kept
};

enum class CheckDepth : std::uint8_t {
  kDecode,  // every picture is decoded as the loader would
  kHeader,  // a JPEG to be kept is taken at its word: nothing is decoded but what a fix makes anew
};

/// About 11 million pixels with chroma halved both ways. A loader holds as much for each thread that
/// decodes, at every epoch: a tenth of a gigabyte for four of them.
inline constexpr std::uint64_t kMaxCoefficientBytes = 32u << 20;

/// What each part of the check goes by.
struct CheckSettings {
  /// Larger pictures are not decoded at full size.
  std::uint64_t max_px = 100'000'000;
  CheckDepth depth = CheckDepth::kDecode;
  PictureFixes fixes{};
  EncodeSettings encode{};
  /// A JPEG of several scans whose coefficients take more is kLargeCoefficients.
  std::uint64_t max_coefficient_bytes = kMaxCoefficientBytes;
  /// JPEG of one scan gets restart markers too, where crops gain by them.
  bool optimizes_crops = false;
  /// Takes out of JPEG what strip_jpeg() does, out of PNG what strip_png() does.
  bool strips_metadata = false;
  /// Takes the luma of cells of what is decoded, for look_hash().
  bool takes_luma_cells = false;

  /// What --optimize-crops asks for: JPEG of several scans is rewritten, that of one gets markers.
  void apply(SeveralScans several_scans) {
    optimizes_crops = several_scans == SeveralScans::kRewritten;
    if (optimizes_crops) fixes.policies.set(ReasonCode::kProgressive, Policy::kFix);
  }

  bool is_fixed(ReasonCode code) const { return fixes.policies.fixes(code); }

  /// Whether a picture of such sides is decoded, and can be written as JPEG.
  bool is_within_limit(const DeclaredSize& size) const noexcept {
    return size.num_px() <= max_px && std::max(size.width_px, size.height_px) <= kMaxJpegSidePx;
  }

  /// Whether a picture that is no JPEG is decoded in spite of such a fault.
  bool is_tried(ReasonCode fault) const { return fault == ReasonCode::kBadCrc && is_fixed(fault); }
};

}  // namespace penstock::convert
