// Pixels as a PNG file, for what people look at: extracted samples, contact sheets.
#pragma once

#include <cstdint>
#include <vector>

#include "streamer/core/image_view.h"

namespace penstock::tools {

/// Encodes 8-bit gray or RGB, rows without gaps between their pixels. Written fast rather than small.
///
/// Errors  OutOfMemory; Internal in libpng's words
/// Source  libpng 1.6, libpng-manual.txt
std::vector<std::uint8_t> encode_png(const ImageView& image);

}  // namespace penstock::tools
