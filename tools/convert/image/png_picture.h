// PNG of every depth and colour type by libpng: for what is stored otherwise. The loader's decoder
// (streamer/read/png_decoder.h) drops alpha and the lower 8 bits; here both count.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "tools/convert/image/image_format.h"
#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/rgb_colour.h"

namespace penstock::convert {

/// Memory  the pixels and a row; of an interlaced picture all rows as they are stored, at most 8
///         bytes a pixel
/// Errors  libpng's words; sides other than `declared`
/// Source  libpng 1.6, libpng-manual.txt
DecodeOutcome decode_png_picture(std::span<const std::byte> png, const DeclaredSize& declared,
                                 const RgbColour& background);

/// The libpng that is loaded: "1.6.39".
std::string libpng_version();

}  // namespace penstock::convert
