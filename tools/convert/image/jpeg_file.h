// The two things that conversion needs of libjpeg beside the loader's decoder: writing a JPEG, and
// reading one with four components (CMYK, YCCK), which the loader does not take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "streamer/core/image_view.h"

namespace penstock::convert {

/// The longest side that libjpeg writes (JPEG_MAX_DIMENSION in jmorecfg.h).
inline constexpr std::uint32_t kMaxJpegSidePx = 65500;
/// Quality of whatever has to be re-encoded.
inline constexpr int kReencodeQuality = 95;

/// Pixels that were decoded here.
///
/// Shapes  pixels_hwc: [height_px, width_px, channels], channels 3 (RGB) or 1 (gray)
struct DecodedPixels {
  std::vector<std::uint8_t> pixels_hwc;
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint32_t channels = 3;
  bool had_alpha = false;    // was laid onto a background
  bool had_16_bits = false;  // was rounded to 8

  ImageView view() const noexcept {
    return {.pixels_hwc = pixels_hwc.data(),
            .width_px = width_px,
            .height_px = height_px,
            .channels = channels,
            .pixel_stride_bytes = channels,
            .row_stride_bytes = std::size_t{width_px} * channels};
  }
};

/// Pixels, or the decoder's words on why there are none.
using DecodeOutcome = std::variant<DecodedPixels, std::string>;

/// Encodes as baseline JPEG of kReencodeQuality without chroma subsampling; gray stays gray.
/// The same pixels give the same bytes. Sides are at most kMaxJpegSidePx.
/// Throws Internal when libjpeg refuses.
std::vector<std::byte> encode_jpeg(const ImageView& image);

struct JpegReading {
  /// Larger pictures are scaled down while they are read, by the largest N/8 that fits, and where
  /// 1/8 is too large still, by averaging squares of its pixels.
  std::uint64_t max_px = UINT64_MAX;
  /// What is missing or damaged becomes what libjpeg makes of it, gray for the most part; else the
  /// picture is refused.
  bool tolerates_damage = false;
  /// What libjpeg may hold beside the pixels, all coefficients of a progressive picture for one.
  std::uint64_t max_scratch_bytes = UINT64_MAX;
};

/// Decodes a JPEG to RGB, or to gray where it has one component. Of four components, Adobe's files
/// hold inverted inks, others do not.
///
/// Errors  a reason in libjpeg's words; more than 500 scans; "stopped"
/// Source  Adobe TN 5116, "Supporting the DCT filters in PostScript Level 2", for the APP14
///         segment; libjpeg-turbo's libjpeg.txt, "Special color spaces", for the inversion
DecodeOutcome read_jpeg(std::span<const std::byte> jpeg, const JpegReading& reading,
                        const std::stop_token& stop);

}  // namespace penstock::convert
