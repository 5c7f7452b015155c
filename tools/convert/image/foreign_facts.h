// What the header of a picture that is no JPEG says of it, before anything is decoded: its reasons,
// its orientation, and why it cannot be decoded, where that shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/convert/image/image_format.h"
#include "tools/convert/reason/reason_set.h"

namespace penstock::convert {

struct ForeignFacts {
  DeclaredSize size;
  ReasonSet reasons;
  std::uint8_t orientation = 1;  // EXIF; of what is to be decoded
  /// Why it is not decoded; with kBadCrc it may be all the same, from `rebuilt`.
  std::optional<ReasonCode> fault;
  std::string detail;
  /// What is to be decoded in place of the file: mended, or its first picture. Empty: the file.
  std::vector<std::byte> rebuilt;
};

/// Reads a PNG, BMP, TIFF, WebP, PNM or GIF. Allocates no more than the file's own size.
ForeignFacts read_foreign_facts(ImageFormat format, std::span<const std::byte> file);

/// What the words of decode_foreign_image() mean.
ReasonCode foreign_reason(std::string_view why);

}  // namespace penstock::convert
