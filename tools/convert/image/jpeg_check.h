// The verdict on a JPEG.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>

#include "tools/convert/image/check_settings.h"
#include "tools/convert/image/stored_picture_check.h"

namespace penstock::convert {

/// Checks a file that begins as a JPEG does. Throws Stopped, Internal.
ImageVerdict check_jpeg(std::span<const std::byte> jpeg, const CheckSettings& settings,
                        StoredPictureCheck& check, const std::stop_token& stop);

}  // namespace penstock::convert
