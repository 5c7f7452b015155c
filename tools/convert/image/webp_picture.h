// WebP, lossy and lossless, by libwebp.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "tools/convert/image/image_format.h"
#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/rgb_colour.h"

namespace penstock::convert {

/// Decodes a still picture; still_webp() makes one of an animation's first frame.
///
/// Memory  the pixels; with alpha 4 bytes a pixel more. Libwebp holds another 4 of a lossless one
/// Errors  a reason in words; sides other than `declared`
/// Source  webp/decode.h 1.2
DecodeOutcome decode_webp_picture(std::span<const std::byte> webp, const DeclaredSize& declared,
                                  const RgbColour& background);

/// The libwebp that is loaded: "1.2.4".
std::string libwebp_version();

}  // namespace penstock::convert
