#include "tools/convert/image/picture_reasons.h"

#include <algorithm>
#include <array>
#include <string>

#include "tools/convert/ascii_case.h"
#include "tools/convert/image/colour_gamut.h"
#include "tools/convert/image/exif_orientation.h"

namespace penstock::convert {
namespace {

struct Extension {
  std::string_view name;
  ImageFormat format;
};

constexpr std::array<Extension, 22> kExtensions{{
    {"jpg", ImageFormat::kJpeg},   {"jpeg", ImageFormat::kJpeg},  {"jpe", ImageFormat::kJpeg},
    {"jfif", ImageFormat::kJpeg},  {"png", ImageFormat::kPng},    {"apng", ImageFormat::kPng},
    {"bmp", ImageFormat::kBmp},    {"dib", ImageFormat::kBmp},    {"tif", ImageFormat::kTiff},
    {"tiff", ImageFormat::kTiff},  {"webp", ImageFormat::kWebp},  {"ppm", ImageFormat::kNetpbm},
    {"pgm", ImageFormat::kNetpbm}, {"pbm", ImageFormat::kNetpbm}, {"pnm", ImageFormat::kNetpbm},
    {"gif", ImageFormat::kGif},    {"heic", ImageFormat::kHeif},  {"heif", ImageFormat::kHeif},
    {"avif", ImageFormat::kAvif},  {"jxl", ImageFormat::kJpegXl}, {"jp2", ImageFormat::kJpeg2000},
    {"svg", ImageFormat::kSvg},
}};

const Extension* find_extension(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return nullptr;
  const std::string lower = ascii_lower(path.substr(dot + 1));
  const auto* const found = std::find_if(kExtensions.begin(), kExtensions.end(),
                                         [&](const Extension& one) { return one.name == lower; });
  return found == kExtensions.end() ? nullptr : found;
}

// Adobe's marker decides where there is one; without it, and without JFIF's, libjpeg goes by names.
bool has_rgb_ids(const JpegStructure& jpeg) {
  return jpeg.components[0].id == 'R' && jpeg.components[1].id == 'G' &&
         jpeg.components[2].id == 'B';
}

bool is_odd_subsampling(const JpegStructure& jpeg) {
  if (jpeg.num_components < 3) return false;
  const JpegComponent& luma = jpeg.components[0];
  for (std::size_t i = 1; i < std::min<std::size_t>(jpeg.num_components, 3); ++i) {
    const JpegComponent& chroma = jpeg.components[i];
    if (chroma.sampling_x != 1 || chroma.sampling_y != 1) return true;
  }
  const unsigned factors = luma.sampling_x * 16u + luma.sampling_y;
  constexpr std::array<unsigned, 5> kUsual{0x11, 0x21, 0x22, 0x12, 0x41};
  return std::find(kUsual.begin(), kUsual.end(), factors) == kUsual.end();
}

}  // namespace

ReasonSet reasons_of_jpeg(const JpegStructure& jpeg, std::uint64_t num_bytes) {
  ReasonSet reasons;
  reasons.add_if(jpeg.is_progressive() || jpeg.num_scans > 1, ReasonCode::kProgressive);
  reasons.add_if(jpeg.num_scans > kManyScansLimit, ReasonCode::kManyScans);
  reasons.add_if(jpeg.is_arithmetic(), ReasonCode::kArithmetic);
  reasons.add_if(!jpeg.has_huffman_tables && !jpeg.is_arithmetic(),
                 ReasonCode::kMissingHuffmanTables);
  const bool has_more = jpeg.size_bytes != 0 && jpeg.size_bytes < num_bytes;
  reasons.add_if(has_more && jpeg.has_second_picture, ReasonCode::kSecondPicture);
  reasons.add_if(has_more && !jpeg.has_second_picture, ReasonCode::kBytesAfterEnd);
  reasons.add_if(read_tiff_orientation(jpeg.exif) != 1, ReasonCode::kExifOrientation);
  reasons.add_if(jpeg.num_segments > kManyMarkersLimit, ReasonCode::kManyMarkers);
  reasons.add_if(is_wide_gamut_icc(jpeg.icc), ReasonCode::kWideGamut);
  reasons.add_if(is_odd_subsampling(jpeg), ReasonCode::kOddSubsampling);
  switch (jpeg.num_components) {
    case 1:
      reasons.add(ReasonCode::kGrayscale);
      break;
    case 3:
      reasons.add_if(jpeg.adobe_transform == 0, ReasonCode::kAdobeRgb);
      reasons.add_if(!jpeg.adobe_transform && has_rgb_ids(jpeg), ReasonCode::kRgbComponentIds);
      break;
    case 4:
      reasons.add(jpeg.adobe_transform == 2 ? ReasonCode::kYcck : ReasonCode::kCmyk);
      break;
    default:
      break;
  }
  return reasons;
}

ReasonSet reasons_of_shape(std::uint64_t width_px, std::uint64_t height_px) {
  constexpr std::uint64_t kExtreme = 100;
  const auto [shorter, longer] = std::minmax(width_px, height_px);
  ReasonSet reasons;
  reasons.add_if(shorter == 1, ReasonCode::kOnePixelSide);
  reasons.add_if(longer > kExtreme * shorter, ReasonCode::kExtremeShape);
  return reasons;
}

std::optional<ImageFormat> claimed_format(std::string_view path) {
  const Extension* const extension = find_extension(path);
  return extension == nullptr ? std::nullopt : std::optional(extension->format);
}

bool has_wrong_extension(std::string_view path, ImageFormat format) {
  const Extension* const extension = find_extension(path);
  return extension != nullptr && extension->format != format;
}

bool has_picture_extension(std::string_view path) {
  return find_extension(path) != nullptr;
}

bool is_jpeg_bomb(const JpegStructure& jpeg, std::uint64_t num_bytes) {
  if (jpeg.is_arithmetic()) return false;
  const std::uint64_t num_blocks = ((jpeg.width_px + 7ull) / 8) * ((jpeg.height_px + 7ull) / 8);
  return num_bytes * 8 < num_blocks;
}

}  // namespace penstock::convert
