#include "streamer/read/raw_decoder.h"

#include <cstring>

namespace penstock {
namespace {

// Luma of ITU-R BT.601 (as JPEG uses it) in 16-bit fixed point; the weights sum to 65536.
std::uint8_t luma(const std::uint8_t* rgb) noexcept {
  return static_cast<std::uint8_t>((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >>
                                   16);
}

void convert(const std::uint8_t* from, std::uint32_t from_channels, std::uint8_t* to,
             std::uint32_t to_channels, std::size_t num_px) noexcept {
  if (from_channels == to_channels) {
    std::memcpy(to, from, num_px * from_channels);
  } else if (to_channels == 1) {
    for (std::size_t i = 0; i < num_px; ++i) to[i] = luma(from + 3 * i);
  } else {
    for (std::size_t i = 0; i < num_px; ++i) std::memset(to + 3 * i, from[i], 3);
  }
}

}  // namespace

DecodePrice raw_decode_price(const StoredInfo& info, const DecodeRequest& request) noexcept {
  return {.decoded_bytes = std::size_t{info.width_px} * info.height_px * request.channels};
}

Result<DecodedView> RawDecoder::decode(std::span<const std::byte> encoded, const StoredInfo& info,
                                       const DecodeRequest& request, std::span<std::byte> pixels,
                                       std::span<std::byte>, const std::stop_token&) noexcept {
  if (request.decode_scale != 1) {
    return SampleFault(SampleStatus::kDecodeFailed,
                       "raw sample: expected decode scale 1, found a coarser one");
  }
  const std::size_t num_px = std::size_t{info.width_px} * info.height_px;
  const bool has_known_components = info.components == 1 || info.components == 3;
  if (!has_known_components || encoded.size() != num_px * info.components ||
      pixels.size() < num_px * request.channels) {
    return SampleFault(SampleStatus::kDecodeFailed, "raw sample: length and sides do not agree");
  }
  auto* to = reinterpret_cast<std::uint8_t*>(pixels.data());
  convert(reinterpret_cast<const std::uint8_t*>(encoded.data()), info.components, to,
          request.channels, num_px);
  DecodedView view;
  view.image = {.pixels_hwc = to,
                .width_px = info.width_px,
                .height_px = info.height_px,
                .channels = request.channels,
                .pixel_stride_bytes = request.channels,
                .row_stride_bytes = std::size_t{info.width_px} * request.channels};
  view.region = {0, 0, info.width_px, info.height_px};
  return view;
}

}  // namespace penstock
