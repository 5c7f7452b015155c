// TIFF by libtiff: bilevel, gray, palette, RGB and CMYK of 1 to 16 bit, and what libtiff itself turns
// into RGB (YCbCr, CIE L*a*b*, LogLuv); strips and tiles, planes together or apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tools/convert/image/image_format.h"
#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/rgb_colour.h"

namespace penstock::convert {

/// Bytes that decoding takes, by the header alone: the pixels, and those of a strip or tile as they are
/// stored and as libtiff makes RGB of them.
std::uint64_t tiff_decoding_bytes(std::span<const std::byte> tiff) noexcept;

/// The first picture of the file, as its rows are stored: its orientation is the caller's.
///
/// Memory  at most tiff_decoding_bytes()
/// Errors  libtiff's first complaint; sides other than `declared`
/// Source  TIFF 6.0; libtiff 4.5
DecodeOutcome decode_tiff_picture(std::span<const std::byte> tiff, const DeclaredSize& declared,
                                  const RgbColour& background);

/// The libtiff that is loaded: "4.5.0".
std::string libtiff_version();

}  // namespace penstock::convert
