// Pixels as a PNG file, for what people look at: extracted samples, contact sheets.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "streamer/core/image_view.h"

namespace penstock::tools {

/// Encodes 8-bit gray or RGB, rows without gaps between their pixels. Written fast rather than small.
/// `exif`, a TIFF, becomes an eXIf chunk before the pixels; empty: there is none.
///
/// Errors  OutOfMemory; Internal in libpng's words
/// Source  libpng 1.6, libpng-manual.txt
std::vector<std::byte> encode_png(const ImageView& image, std::span<const std::byte> exif = {});

}  // namespace penstock::tools
