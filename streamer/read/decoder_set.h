// One decoder of each codec: what a reader thread owns.
#pragma once

#include "streamer/read/jpeg_decoder.h"
#include "streamer/read/raw_decoder.h"

namespace penstock {

/// Threads  one set per thread
class DecoderSet {
 public:
  /// Returns the decoder for a codec byte of the index; null when this build has none.
  SampleDecoder* find(Codec codec) noexcept;
  /// Whether that codec can decode at scales below 1.
  static bool can_scale(Codec codec) noexcept { return codec == Codec::kJpeg; }

 private:
  JpegDecoder jpeg_;
  RawDecoder raw_;
};

/// Prices a sample by its codec; nothing for one that this build does not read, which then fails.
DecodePrice decode_price(const StoredInfo& info, const DecodeRequest& request) noexcept;

}  // namespace penstock
