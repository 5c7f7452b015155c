// Pictures on their way into a dataset: what the index must say of them, found in their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "streamer/core/batch.h"
#include "streamer/core/image_view.h"
#include "streamer/shard/new_sample.h"

namespace penstock {

/// What the bytes of a picture do not say.
struct PictureFacts {
  /// Index into the dataset's class_names.
  std::uint32_t class_idx = kUnlabelled;
  /// Where it came from, for messages; UTF-8, may be empty.
  std::string name = {};
  /// EXIF, 1 to 8; a JPEG's own EXIF segment is not looked at.
  std::uint8_t orientation = 1;
  /// The most that decoding it may hold.
  std::uint64_t max_bytes = std::uint64_t{1} << 30;
};

/// Describes a JPEG, which is stored as it is. Decodes it once: damage is found now, not in
/// training.
///
/// Errors    CorruptData (no JPEG, cut short, in libjpeg's words), Unsupported (four components),
///           OutOfMemory (above max_bytes)
/// Lifetime  the result borrows `encoded`
/// Threads   any
NewSample new_jpeg(std::span<const std::byte> encoded, PictureFacts facts);

/// Describes a PNG, which is stored as it is: for pictures that must keep every bit. Alpha is dropped
/// and 16 bits are cut to 8 where it is decoded. Decodes it once, as new_jpeg() does.
///
/// Errors    as new_jpeg(), in libpng's words; Unsupported when a side is above 65,535 px
/// Lifetime  the result borrows `encoded`
/// Threads   any
NewSample new_png(std::span<const std::byte> encoded, PictureFacts facts);

/// Describes pixels that are stored uncompressed: right for small pictures such as 32 x 32.
///
/// Shapes    uint8 [height_px, width_px, 3 or 1], without gaps between pixels or rows
/// Errors    InvalidArgument
/// Lifetime  the result borrows the pixels
NewSample new_raw(const ImageView& pixels, PictureFacts facts);

}  // namespace penstock
