// Fixes of a JPEG that cost pixels: over-large ones scaled down, damaged ones as libjpeg guesses
// them. On request only, and each says what was lost.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>

#include "tools/convert/image/check_settings.h"
#include "tools/convert/image/jpeg_structure.h"
#include "tools/convert/image/stored_picture_check.h"

namespace penstock::convert {

/// The verdict on a JPEG of more than `settings.max_px`: quarantined, or scaled down where the policy
/// says so. Throws Stopped, Internal.
ImageVerdict scale_down(std::span<const std::byte> jpeg, const JpegHeader& header,
                        const CheckSettings& settings, StoredPictureCheck& check,
                        const std::stop_token& stop);

/// The verdict on what libjpeg makes of a JPEG that does not decode; `damaged`, which quarantines
/// it, where there is nothing to guess from. Throws Stopped, Internal.
ImageVerdict guess(std::span<const std::byte> jpeg, const JpegStructure& structure,
                   ImageVerdict damaged, const CheckSettings& settings, StoredPictureCheck& check,
                   const std::stop_token& stop);

}  // namespace penstock::convert
