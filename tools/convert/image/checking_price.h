// What checking a picture takes, in bytes, by what its header declares: before anything is decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tools/convert/image/check_settings.h"
#include "tools/convert/image/stored_picture_check.h"
#include "tools/convert/source_picture.h"

namespace penstock::convert {

/// Decoding holds at most four channels of 16 bits (an interlaced PNG) or of 8 bits twice (a lossless
/// WebP), and the RGB made of them, 11 bytes; of a TIFF tiff_decoding_bytes() and of a GIF gif_decoding_bytes(),
/// where that is more. So does libjpeg with a progressive picture of four inks. Encoding holds the RGB and a JPEG
/// of at most 3 bytes a pixel, once in a buffer that doubles as it grows, once copied: 12.
inline constexpr std::uint64_t kReencodingBytesPerPx = 12;

/// Bytes that re-encoding takes beside the file; 0 for what is kept or refused. An upper bound but for
/// what the codec libraries keep for themselves.
std::uint64_t reencoding_bytes(std::span<const std::byte> file, const CheckSettings& settings,
                               StoredPictureCheck& check);

/// Bytes that the whole check takes beside the picture: an upper bound but for what the codec libraries
/// keep for themselves, and for a strip of rows of at most kStripBytes, or one row.
std::uint64_t checking_bytes(const SourcePicture& picture, const CheckSettings& settings,
                             StoredPictureCheck& check);

}  // namespace penstock::convert
