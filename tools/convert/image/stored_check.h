// Checks samples of a dataset on their way into another one: kept as they are, whatever their codec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "streamer/read/decoder_set.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/source_picture.h"

namespace penstock::convert {

/// Decodes each sample with the loader's own decoder, as ImageChecker does files. What a conversion
/// would do about a file (another orientation, other bytes) was decided when the dataset was made.
///
/// Threads  one per thread: it keeps its buffers
class StoredChecker {
 public:
  explicit StoredChecker(std::uint64_t max_px) : max_px_(max_px) {}

  /// `picture.codec` is set. Kept, or quarantined: too_many_pixels, truncated, damaged,
  /// unsupported_jpeg, unsupported_format. Throws Stopped.
  ImageVerdict check(const SourcePicture& picture, const std::stop_token& stop);

 private:
  ImageVerdict check_jpeg(std::span<const std::byte> jpeg, const std::stop_token& stop);
  ImageVerdict check_png(std::span<const std::byte> png, const std::stop_token& stop);
  ImageVerdict check_raw(const SourcePicture& picture, const std::stop_token& stop);
  ImageVerdict decode(std::span<const std::byte> encoded, const IndexRecord& record,
                      const std::stop_token& stop);

  std::uint64_t max_px_;
  DecoderSet decoders_;
  JpegDecoder headers_;
  std::vector<std::byte> pixels_;
  std::vector<std::byte> scratch_;
};

}  // namespace penstock::convert
