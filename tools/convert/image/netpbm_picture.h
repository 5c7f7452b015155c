// PNM: PBM, PGM and PPM, in digits and in bytes.
#pragma once

#include <cstddef>
#include <span>

#include "tools/convert/image/image_format.h"
#include "tools/convert/image/decoded_pixels.h"

namespace penstock::convert {

/// The first picture of a file that holds several. Values are scaled from the file's own maximum;
/// one above it counts as the maximum.
///
/// Memory  the pixels and a row
/// Errors  a reason in words; sides other than `declared`
/// Source  netpbm's pbm(5), pgm(5), ppm(5)
DecodeOutcome decode_netpbm_picture(std::span<const std::byte> pnm, const DeclaredSize& declared);

}  // namespace penstock::convert
