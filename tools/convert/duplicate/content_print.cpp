#include "tools/convert/duplicate/content_print.h"

#include <array>
#include <span>

#include "streamer/core/little_endian.h"

namespace penstock::convert {

Digest128 content_digest(const SourcePicture& picture) noexcept {
  if (!picture.raw) return xxh3_128(picture.bytes);
  StreamHasher hasher;
  for (const std::uint32_t side :
       {picture.raw->height_px, picture.raw->width_px, picture.raw->channels}) {
    std::array<std::byte, 4> bytes{};
    store_le(side, bytes.data());
    hasher.update(bytes);
  }
  hasher.update(picture.bytes);
  return hasher.digest_128();
}

}  // namespace penstock::convert
