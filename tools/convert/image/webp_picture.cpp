#include "tools/convert/image/webp_picture.h"

#include <fmt/core.h>
#include <webp/decode.h>

#include <vector>

#include "tools/convert/image/picture_rows.h"

namespace penstock::convert {
namespace {

std::string words_of(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return "libwebp: no memory";
    case VP8_STATUS_BITSTREAM_ERROR:
      return "libwebp: the bitstream is damaged";
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return "libwebp: the picture is cut short";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "a picture with a feature that libwebp does not read";
    default:
      return fmt::format("libwebp: status {}", static_cast<int>(status));
  }
}

// What libwebp's simple functions do, with the reason of a failure kept.
VP8StatusCode decode_into(std::span<const std::byte> webp, WEBP_CSP_MODE colours,
                          std::span<std::uint8_t> pixels, int stride_bytes) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) return VP8_STATUS_INVALID_PARAM;
  config.output.colorspace = colours;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {pixels.data(), stride_bytes, pixels.size()};
  const VP8StatusCode status =
      WebPDecode(reinterpret_cast<const std::uint8_t*>(webp.data()), webp.size(), &config);
  WebPFreeDecBuffer(&config.output);
  return status;
}

}  // namespace

DecodeOutcome decode_webp_picture(std::span<const std::byte> webp, const DeclaredSize& declared,
                                  const RgbColour& background) {
  WebPBitstreamFeatures features{};
  const VP8StatusCode header =
      WebPGetFeatures(reinterpret_cast<const std::uint8_t*>(webp.data()), webp.size(), &features);
  if (header != VP8_STATUS_OK) return words_of(header);
  const DeclaredSize size{static_cast<std::uint64_t>(features.width),
                          static_cast<std::uint64_t>(features.height)};
  if (auto why = other_sides(declared, size)) return *std::move(why);
  if (features.has_animation != 0) return std::string("a picture with frames");
  if (features.has_alpha == 0) {
    DecodedPixels pixels{.pixels_hwc = std::vector<std::uint8_t>(size.num_px() * 3),
                         .width_px = static_cast<std::uint32_t>(size.width_px),
                         .height_px = static_cast<std::uint32_t>(size.height_px)};
    const VP8StatusCode status = decode_into(webp, MODE_RGB, pixels.pixels_hwc, 3 * features.width);
    if (status != VP8_STATUS_OK) return words_of(status);
    return pixels;
  }
  const std::size_t row_bytes = 4 * size.width_px;
  std::vector<std::uint8_t> rgba(row_bytes * size.height_px);
  const VP8StatusCode status = decode_into(webp, MODE_RGBA, rgba, 4 * features.width);
  if (status != VP8_STATUS_OK) return words_of(status);
  PictureRows rows(size, RowKind::kRgba, background);
  for (std::uint32_t y = 0; y < size.height_px; ++y) {
    rows.put(y, 0, std::span(rgba).subspan(y * row_bytes, row_bytes));
  }
  return rows.take();
}

std::string libwebp_version() {
  const int version = WebPGetDecoderVersion();
  return fmt::format("{}.{}.{}", version >> 16 & 0xFF, version >> 8 & 0xFF, version & 0xFF);
}

}  // namespace penstock::convert
