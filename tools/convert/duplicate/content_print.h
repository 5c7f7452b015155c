// What tells two pictures of the same content: the XXH3-128 of their bytes as the source has them.
#pragma once

#include <compare>
#include <cstdint>

#include "streamer/core/checksum.h"
#include "tools/convert/source_picture.h"

namespace penstock::convert {

struct ContentPrint {
  Digest128 digest{};
  std::uint32_t picture_idx = 0;  // in the list

  friend auto operator<=>(const ContentPrint&, const ContentPrint&) = default;
};

/// Of an encoded picture the digest of its bytes; of bare pixels that of their sides and channels (u32,
/// little-endian) and then the pixels.
Digest128 content_digest(const SourcePicture& picture) noexcept;

}  // namespace penstock::convert
