// Pictures that are no JPEG, each read by its own file: png_picture, tiff_picture, webp_picture,
// bmp_picture, netpbm_picture, gif_picture.
#pragma once

#include <cstddef>
#include <span>

#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/rgb_colour.h"

namespace penstock::convert {

/// Decodes PNG, BMP, TIFF, WebP, PNM or GIF to RGB or gray, 8 bit: transparency onto `background`, 16 bit
/// rounded to 8. The first picture of a file that holds several; a TIFF as its rows are stored, whatever
/// its orientation. The caller has checked the declared size. Nothing is written to stderr.
///
/// Errors  the decoder's words; what begins "a picture with" or "samples that are neither" is whole,
///         but of a kind that is not read
/// Throws  std::bad_alloc
DecodeOutcome decode_foreign_image(std::span<const std::byte> encoded,
                                   const RgbColour& background = {});

}  // namespace penstock::convert
