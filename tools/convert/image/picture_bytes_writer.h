// The bytes of a picture that is stored anew, of its rows: JPEG, PNG or bare pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "streamer/shard/shard_format.h"
#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/jpeg_writer.h"

namespace penstock::convert {

/// How it is stored.
struct PictureForm {
  Codec codec = Codec::kJpeg;
  /// Sides, channels, orientation; quality, sampling and segments of a JPEG. Sides as the rows come.
  JpegWriting writing;
  /// EXIF, 1 to 8: how it is turned once all rows are there; 1: not at all, and a JPEG's rows are
  /// encoded as they come.
  std::uint8_t turned_by = 1;

  bool holds_pixels() const noexcept { return codec != Codec::kJpeg || turned_by != 1; }
  SidesPx stored_sides() const noexcept;
};

/// Threads  one per thread
class PictureBytesWriter {
 public:
  void begin(const PictureForm& form);
  void add(const ImageView& rows);
  /// Throws Internal where a library refuses.
  std::vector<std::byte> finish();

 private:
  PictureForm form_;
  JpegWriter jpeg_;
  DecodedPixels pixels_;
};

}  // namespace penstock::convert
