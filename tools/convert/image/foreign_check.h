// The verdict on a picture that is no JPEG: PNG, BMP, TIFF, WebP, PNM, GIF.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>

#include "tools/convert/image/check_settings.h"
#include "tools/convert/image/stored_picture_check.h"

namespace penstock::convert {

/// Throws Stopped, Internal.
ImageVerdict check_foreign(ImageFormat format, std::span<const std::byte> file,
                           const CheckSettings& settings, StoredPictureCheck& check,
                           const std::stop_token& stop);

}  // namespace penstock::convert
