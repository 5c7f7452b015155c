// A picture that cannot be stored as it is, as JPEG.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>

#include "tools/convert/image/check_settings.h"
#include "tools/convert/image/jpeg_file.h"
#include "tools/convert/image/stored_picture_check.h"

namespace penstock::convert {

/// Encodes `pixels`, turned upright where the policy of kExifOrientation says so; else `orientation`
/// goes into the index. The statistics are those of what is stored. Throws Stopped, Internal.
ImageVerdict reencode(const DecodedPixels& pixels, std::uint8_t orientation,
                      const CheckSettings& settings, StoredPictureCheck& check,
                      const std::stop_token& stop);

/// Decodes a JPEG as `reading` says and encodes it anew; quarantined where libjpeg gives no pixels.
ImageVerdict reencode_jpeg(std::span<const std::byte> jpeg, const JpegReading& reading,
                           const CheckSettings& settings, StoredPictureCheck& check,
                           const std::stop_token& stop);

}  // namespace penstock::convert
