// Uncompressed uint8 RGB or gray pixels, rows top to bottom: small pictures such as 32 x 32.
#pragma once

#include "streamer/core/sample_decoder.h"

namespace penstock {

/// Prices a sample from its index record alone.
DecodePrice raw_decode_price(const StoredInfo& info, const DecodeRequest& request) noexcept;

/// Copies the region asked for out of raw samples, converting between gray and RGB where asked.
///
/// Errors  a fault when the length is not width x height x components
/// Cost    allocates nothing; supports decode scale 1 only
class RawDecoder final : public SampleDecoder {
 public:
  Result<DecodedView> decode(std::span<const std::byte> encoded, const StoredInfo& info,
                             const DecodeRequest& request, std::span<std::byte> pixels,
                             std::span<std::byte> scratch,
                             const std::stop_token& stop) noexcept override;
};

}  // namespace penstock
