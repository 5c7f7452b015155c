// Pictures that are no JPEG, read with the help of OpenCV: the only place that knows it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/rgb_colour.h"

namespace penstock::convert {

/// Decodes PNG, BMP, TIFF, WebP or PNM to RGB or gray, 8 bit: transparency onto `background`, 16 bit
/// rounded to 8. The first picture of a file that holds several. The caller has checked the
/// declared size. The libraries behind it may write remarks to stderr.
DecodeOutcome decode_foreign_image(std::span<const std::byte> encoded,
                                   const RgbColour& background = {});

/// Encodes gray or RGB without loss; the pixels are taken apart on the way. The same pixels give the
/// same bytes. Throws Internal when OpenCV refuses.
std::vector<std::byte> encode_png(DecodedPixels pixels);

/// The version of the OpenCV that is loaded: "4.6.0".
std::string opencv_version();

}  // namespace penstock::convert
