#include "streamer/read/decoder_set.h"

namespace penstock {

SampleDecoder* DecoderSet::find(Codec codec) noexcept {
  switch (codec) {
    case Codec::kJpeg:
      return &jpeg_;
    case Codec::kRaw:
      return &raw_;
    case Codec::kPng:
      return &png_;
  }
  return nullptr;
}

DecodePrice decode_price(const StoredInfo& info, const DecodeRequest& request) noexcept {
  switch (info.codec) {
    case Codec::kJpeg:
      return jpeg_decode_price(info, request);
    case Codec::kRaw:
      return raw_decode_price(info, request);
    case Codec::kPng:
      return png_decode_price(info, request);
  }
  return {};
}

}  // namespace penstock
