// BMP of Windows and OS/2: 1 to 32 bit, palettes, bit masks, run lengths.
#pragma once

#include <cstddef>
#include <span>

#include "tools/convert/image/image_format.h"
#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/rgb_colour.h"

namespace penstock::convert {

/// Gray where the whole palette is. An index beyond the palette is black; what runs leave out has
/// index 0. Of 32 bits the fourth byte is alpha only where a mask says so.
///
/// Memory  the pixels; of run lengths a byte a pixel more
/// Errors  a reason in words; sides other than `declared`
/// Source  wingdi.h: BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER, BITMAPV5HEADER, and
///         "Bitmap Compression" of the Windows documentation
DecodeOutcome decode_bmp_picture(std::span<const std::byte> bmp, const DeclaredSize& declared,
                                 const RgbColour& background);

}  // namespace penstock::convert
