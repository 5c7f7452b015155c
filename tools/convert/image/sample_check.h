// Checks samples of a dataset on their way into another one that are no files of any kind, or stay as they
// are: PNG. A JPEG and bare pixels are looked at as those of other sources are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>

#include "streamer/core/stored_info.h"
#include "streamer/read/png_decoder.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/source_picture.h"

namespace penstock::convert {

/// Whether ImageChecker knows what to do with a sample: a JPEG that begins as one, as many pixels as it says.
bool is_ordinary_sample(const SourcePicture& picture);

/// Decodes a PNG with the loader's own decoder: in a folder it would be re-encoded, in a dataset somebody
/// has chosen it. Whatever else comes here is no sample.
///
/// Threads  one per thread: it keeps its decoder
class SampleCheck {
 public:
  explicit SampleCheck(std::uint64_t max_px, CheckDepth depth = CheckDepth::kDecode,
                       bool takes_luma_cells = false)
      : max_px_(max_px), depth_(depth), takes_luma_cells_(takes_luma_cells) {}

  /// Bytes that check() takes beside the picture, an upper bound; 0 for what is refused by its header.
  std::uint64_t checking_bytes(const SourcePicture& picture) const;

  /// `picture.codec` is set. Kept, or quarantined: too_many_pixels, damaged, unsupported_format.
  /// Throws Stopped.
  ImageVerdict check(const SourcePicture& picture, const std::stop_token& stop);

 private:
  ImageVerdict check_png(std::span<const std::byte> png, const std::stop_token& stop);
  // Why it is refused without being decoded; nothing: it is decoded.
  std::optional<ImageVerdict> refusal_of(const IndexRecord& record) const;
  ImageVerdict decode(std::span<const std::byte> png, const IndexRecord& record,
                      const std::stop_token& stop);

  std::uint64_t max_px_;
  CheckDepth depth_;
  bool takes_luma_cells_;
  PngDecoder decoder_;
};

}  // namespace penstock::convert
