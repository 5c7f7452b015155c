// One decoder of each codec: what a worker owns.
#pragma once

#include "streamer/read/jpeg_decoder.h"
#include "streamer/read/png_decoder.h"
#include "streamer/read/raw_decoder.h"

namespace penstock {

/// Threads  one set per thread
class DecoderSet {
 public:
  /// Returns the decoder for a codec byte of the index; null when this build has none.
  SampleDecoder* find(Codec codec) noexcept;
  /// Coarsest decode scale of that codec; 1 is the full size.
  static std::uint8_t max_decode_scale(Codec codec) noexcept {
    return codec == Codec::kJpeg ? 8 : 1;
  }

 private:
  JpegDecoder jpeg_;
  RawDecoder raw_;
  PngDecoder png_;
};

/// Prices a sample by its codec; nothing for one that this build does not read, which then fails.
DecodePrice decode_price(const StoredInfo& info, const DecodeRequest& request) noexcept;

}  // namespace penstock
