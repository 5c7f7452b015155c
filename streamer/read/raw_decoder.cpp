#include "streamer/read/raw_decoder.h"

#include <algorithm>

#include "streamer/read/decode_region.h"
#include "streamer/read/pixel_copy.h"

namespace penstock {
namespace {

// Copied between looks at the stop token: about 1 ms.
constexpr std::size_t kPieceBytes = 4u << 20;

}  // namespace

DecodePrice raw_decode_price(const StoredInfo& info, const DecodeRequest& request) noexcept {
  const RectPx region = region_at_scale(info, request);
  return {.decoded_bytes = std::size_t{region.width} * region.height * request.channels};
}

Result<DecodedView> RawDecoder::decode(std::span<const std::byte> encoded, const StoredInfo& info,
                                       const DecodeRequest& request, std::span<std::byte> pixels,
                                       std::span<std::byte>, const std::stop_token& stop) noexcept {
  if (request.decode_scale != 1) {
    return SampleFault(SampleStatus::kDecodeFailed,
                       "raw sample: expected decode scale 1, found a coarser one");
  }
  const RectPx region = region_at_scale(info, request);
  const std::size_t num_px = std::size_t{info.width_px} * info.height_px;
  const bool has_known_components = info.components == 1 || info.components == 3;
  if (!has_known_components || encoded.size() != num_px * info.components) {
    return SampleFault(SampleStatus::kDecodeFailed, "raw sample: length and sides do not agree");
  }
  if (region.width == 0 || pixels.size() < raw_decode_price(info, request).decoded_bytes) {
    return SampleFault(SampleStatus::kDecodeFailed, "raw sample: region lies outside the picture");
  }
  const ImageView whole{.pixels_hwc = reinterpret_cast<const std::uint8_t*>(encoded.data()),
                        .width_px = info.width_px,
                        .height_px = info.height_px,
                        .channels = info.components,
                        .pixel_stride_bytes = info.components,
                        .row_stride_bytes = std::size_t{info.width_px} * info.components};
  const MutableImageView part = part_of(region, request.channels, pixels);
  const std::size_t row_bytes = std::size_t{region.width} * info.components;
  const auto piece_rows = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(kPieceBytes / row_bytes, 1, region.height));
  for (std::uint32_t y = 0; y < region.height; y += piece_rows) {
    if (stop.stop_requested()) return SampleFault(SampleStatus::kDecodeFailed, "stopped");
    MutableImageView piece = part;
    piece.pixels_hwc = part.row(y);
    piece.height_px = std::min(piece_rows, region.height - y);
    copy_part(whole, {.x = region.x, .y = region.y + y}, piece);
  }
  return DecodedView{.image = part, .region = region};
}

}  // namespace penstock
