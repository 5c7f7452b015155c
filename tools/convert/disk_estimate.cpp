#include "tools/convert/disk_estimate.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tools/convert/image/picture_reasons.h"

namespace penstock::convert {
namespace {

// Segments, tables and the end of a JPEG; signature and chunks of a PNG.
constexpr double kFrameBytes = 700.0;

struct JpegSize {
  int quality = 0;
  double bytes_per_px = 0.0;
};
// Of 3,781 photographs of 400 x 533 px shrunk to 32 px on the short side, chroma halved both ways.
constexpr std::array<JpegSize, 8> kJpegSizes{{{1, 0.04},
                                              {30, 0.13},
                                              {50, 0.18},
                                              {75, 0.26},
                                              {85, 0.35},
                                              {90, 0.44},
                                              {95, 0.63},
                                              {100, 1.22}}};

double jpeg_bytes_per_px(int quality) {
  std::size_t i = 1;
  while (i + 1 < kJpegSizes.size() && kJpegSizes[i].quality < quality) ++i;
  const JpegSize& below = kJpegSizes[i - 1];
  const JpegSize& above = kJpegSizes[i];
  return std::lerp(below.bytes_per_px, above.bytes_per_px,
                   static_cast<double>(quality - below.quality) / (above.quality - below.quality));
}

// The same photographs at 100, 224 and 256 px take 0.73, 0.59 and 0.57 of it for a pixel; what a camera adds
// to its own pixels is not shrunk away.
double detail_of(SidesPx target) {
  constexpr double kPxAt32 = 32.0 * 43.0;
  return std::clamp(std::pow(kPxAt32 / static_cast<double>(target.num_px()), 0.1), 0.7, 1.0);
}

double encoded_jpeg_bytes(const HeaderLook& look, SidesPx target, const EncodeSettings& encode) {
  const bool is_gray = encode.grayscale || look.channels == 1;
  const bool halves_chroma = look.kind == PictureKind::kJpeg && !look.has_four_inks();
  const double channels_factor = is_gray ? 0.85 : halves_chroma ? 1.0 : 1.35;
  return jpeg_bytes_per_px(encode.jpeg_quality()) * channels_factor * detail_of(target) *
         static_cast<double>(target.num_px());
}

// Flat pictures take less than photographs: what the file takes for a pixel says so. Times how much more a
// finer quality and denser detail were seen to take of lossy formats, and twice that.
double most_by_file(const HeaderLook& look, SidesPx sides, SidesPx target,
                    std::uint64_t file_bytes) {
  const double growth = look.is_lossy() ? 24.0 : 4.0;
  return growth * static_cast<double>(file_bytes) * static_cast<double>(target.num_px()) /
         static_cast<double>(sides.num_px());
}

// JPEG of a quality that is coarse enough goes over as it is, and encoded coarser takes no more.
bool keeps_pixels(const HeaderLook& look, SidesPx sides, SidesPx target,
                  const EncodeSettings& encode) {
  return target == sides && !(encode.grayscale && look.channels != 1);
}

}  // namespace

bool needs_survey(const ConvertConfig& config, const PictureList& pictures) {
  if (config.encode.is_asked()) return true;
  for (std::uint32_t i = 0; i < pictures.size(); ++i) {
    if (claimed_format(pictures.name(i)) != ImageFormat::kJpeg) return true;
  }
  return false;
}

std::uint64_t estimate_stored_bytes(const HeaderLook& look, std::uint64_t file_bytes,
                                    const ConvertConfig& config) {
  if (look.is_text) return 0;
  const ReasonPolicies& policies = config.policies;
  if (look.reason) return policies[*look.reason] == Policy::kQuarantine ? 0 : file_bytes;
  if (policies.first_with(Policy::kQuarantine, look.reasons)) return 0;
  if (look.size.num_px() == 0) return file_bytes;
  const EncodeSettings& encode = config.encode;
  const SidesPx sides{static_cast<std::uint32_t>(look.size.width_px),
                      static_cast<std::uint32_t>(look.size.height_px)};
  const SidesPx target = target_sides(sides, encode);
  const Codec codec = stored_codec(look.kind, target, encode);
  const std::uint64_t bare_bytes = target.num_px() * (encode.grayscale ? 1 : look.channels);
  const bool is_same = keeps_pixels(look, sides, target, encode);
  if (is_same && look.codec() == codec && !look.has_four_inks()) {
    const bool may_shrink = encode.quality && codec == Codec::kJpeg && look.is_coded_finer;
    if (!may_shrink) return file_bytes;
    return std::min(file_bytes, static_cast<std::uint64_t>(
                                    encoded_jpeg_bytes(look, target, encode) + kFrameBytes));
  }
  if (codec == Codec::kRaw) return bare_bytes;
  const double most = codec == Codec::kPng ? static_cast<double>(bare_bytes)
                                           : encoded_jpeg_bytes(look, target, encode);
  return static_cast<std::uint64_t>(std::min(most, most_by_file(look, sides, target, file_bytes)) +
                                    kFrameBytes);
}

std::uint64_t estimate_disk_bytes(const PictureList& pictures, const std::vector<ShardPlan>& shards,
                                  const HeaderSurvey* survey) {
  const std::uint64_t by_files = estimate_dataset_bytes(pictures, shards);
  if (survey == nullptr) return by_files;
  const std::uint64_t source_bytes = pictures.total_bytes();
  return by_files - source_bytes + survey->stored_bytes_of(source_bytes);
}

}  // namespace penstock::convert
