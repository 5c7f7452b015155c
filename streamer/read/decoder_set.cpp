#include "streamer/read/decoder_set.h"

namespace penstock {

SampleDecoder* DecoderSet::find(Codec codec) noexcept {
  switch (codec) {
    case Codec::kJpeg:
      return &jpeg_;
    case Codec::kRaw:
      return &raw_;
    case Codec::kPng:
      return nullptr;
  }
  return nullptr;
}

}  // namespace penstock
