// Which reasons a picture gives by its structure alone, before anything is decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "tools/convert/image/image_format.h"
#include "tools/convert/image/jpeg_structure.h"
#include "tools/convert/reason/reason_set.h"

namespace penstock::convert {

/// Of a JPEG that may be read: ITU-T T.81; JFIF 1.02 and libjpeg.txt for the meaning of components.
ReasonSet reasons_of_jpeg(const JpegStructure& jpeg, std::uint64_t num_bytes);

/// Of sides in pixels.
ReasonSet reasons_of_shape(std::uint64_t width_px, std::uint64_t height_px);

/// The picture format that a name claims.
std::optional<ImageFormat> claimed_format(std::string_view path);

/// Whether the name claims a picture format that the bytes are not.
bool has_wrong_extension(std::string_view path, ImageFormat format);

/// Whether the name claims a picture format at all.
bool has_picture_extension(std::string_view path);

/// Whether `num_bytes` of Huffman-coded data cannot hold the picture that a header declares: every
/// block takes one bit at least. False for arithmetic code, which has no such bound.
bool is_jpeg_bomb(const JpegStructure& jpeg, std::uint64_t num_bytes);

/// More than this many scans are kManyScans; a file needs about ten.
inline constexpr std::uint32_t kManyScansLimit = 100;
inline constexpr std::uint64_t kManyMarkersLimit = 1000;

}  // namespace penstock::convert
