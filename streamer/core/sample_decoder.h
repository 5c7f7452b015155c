// The contract of a codec: what a sample costs before it is read, and how it is decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>

#include "streamer/core/image_view.h"
#include "streamer/core/result.h"
#include "streamer/core/sample_transform.h"
#include "streamer/core/stored_info.h"

namespace penstock {

struct DecodeRequest {
  RectPx region;  // in stored full-resolution pixels
  std::uint32_t decode_scale = 1;
  std::uint32_t channels = 3;  // of the output: 3 or 1
};

/// Bytes that decoding one sample takes.
struct DecodePrice {
  std::size_t decoded_bytes = 0;
  std::size_t scratch_bytes = 0;
};

/// Decodes samples of one codec.
///
/// Threads  one decoder per thread
/// Cost     allocates nothing outside `scratch` after the first call
class SampleDecoder {
 public:
  virtual ~SampleDecoder() = default;

  /// Decodes `encoded` into `pixels` with `scratch`, each of at least the bytes that the codec's
  /// DecodePrice says. The view returned covers at least request.region, points into `pixels`, and
  /// gives up with kDecodeFailed when `stop` is requested.
  virtual Result<DecodedView> decode(std::span<const std::byte> encoded, const StoredInfo& info,
                                     const DecodeRequest& request, std::span<std::byte> pixels,
                                     std::span<std::byte> scratch,
                                     const std::stop_token& stop) noexcept = 0;
};

}  // namespace penstock
