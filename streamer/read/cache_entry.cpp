#include "streamer/read/cache_entry.h"

#include "streamer/read/decoder_set.h"
#include "streamer/read/work_arena.h"

namespace penstock {

DecodeRequest whole_picture(const StoredInfo& info, const DecodeRequest& request) noexcept {
  DecodeRequest whole = request;
  whole.region = {0, 0, info.width_px, info.height_px};
  return whole;
}

std::size_t cache_entry_bytes(CacheForm form, const StoredInfo& info,
                              const DecodeRequest& request) noexcept {
  switch (form) {
    case CacheForm::kNone:
      return 0;
    case CacheForm::kEncoded:
      return align_up(info.length_bytes);
    case CacheForm::kDecoded:
      return align_up(decode_price(info, whole_picture(info, request)).decoded_bytes);
  }
  return 0;
}

}  // namespace penstock
