// Decodes what is to be stored, with the loader's own decoder: what passes here is read there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "streamer/core/checksum.h"
#include "streamer/read/jpeg_decoder.h"
#include "streamer/read/png_decoder.h"
#include "tools/convert/image/check_settings.h"
#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/image_verdict.h"
#include "tools/convert/image/row_resizer.h"
#include "tools/convert/source_picture.h"

namespace penstock::convert {

/// Rows that are decoded at a time, so that a picture of any height is checked in little memory and its
/// pixels are summed while they are in the cache.
inline constexpr std::uint64_t kStripBytes = 256u << 10;

/// What the index says of a JPEG: all but offset, checksum and class.
IndexRecord record_of_jpeg(const JpegHeader& header, std::uint8_t orientation,
                           std::size_t num_bytes);

/// What the loader holds beside the pixels while it decodes such a sample at full size.
std::uint64_t jpeg_scratch_bytes(const IndexRecord& record);

/// Threads  one per thread: it keeps its buffers
class StoredPictureCheck {
 public:
  struct Reading {
    CheckDepth depth = CheckDepth::kDecode;
    bool takes_digest = false;  // of the pixels, for last_digest()
  };

  StoredPictureCheck() = default;
  /// With luma cells in each verdict on what was decoded.
  explicit StoredPictureCheck(bool takes_luma_cells) : takes_luma_cells_(takes_luma_cells) {}

  Result<JpegHeader> read_header(std::span<const std::byte> jpeg) noexcept;

  /// The verdict on a JPEG that is to be stored as it is: kept, or quarantined for what the decoder
  /// found. Without sums where nothing is decoded. Throws Stopped.
  ImageVerdict check_jpeg(std::span<const std::byte> jpeg, const JpegHeader& header,
                          Reading reading, const std::stop_token& stop);

  /// The same of a PNG, whose pixels are all held while they are summed.
  ImageVerdict check_png(std::span<const std::byte> png, CheckDepth depth,
                         const std::stop_token& stop);

  /// Decodes a PNG as the loader does, in as many channels as it has. Nothing: `pixels` has it; else the
  /// verdict that refuses it. Throws Stopped.
  std::optional<ImageVerdict> decode_png(std::span<const std::byte> png, const IndexRecord& record,
                                         DecodedPixels& pixels, const std::stop_token& stop);

  /// Of the pixels of the last check_jpeg() that took one.
  const Digest128& last_digest() const noexcept { return digest_; }

  /// Gives the scratch of the last check back, before something else takes as much.
  void release_scratch() { std::vector<std::byte>().swap(scratch_); }

  /// Of this thread, for whoever makes the pixels that are to be stored.
  RowResizer& resizer() noexcept { return resizer_; }
  /// Gives back what a large picture has left in the resizer.
  void trim();

 private:
  Result<DecodedView> decode_whole_png(std::span<const std::byte> png, const IndexRecord& record,
                                       std::uint32_t channels, std::span<std::byte> pixels,
                                       const std::stop_token& stop);

  JpegDecoder decoder_;
  PngDecoder png_decoder_;
  RowResizer resizer_;
  std::vector<std::byte> strip_;
  std::vector<std::byte> scratch_;
  Digest128 digest_{};
  bool takes_luma_cells_ = false;
};

/// What the index says of a PNG, by its header: all but offset, checksum, class and orientation. A fault
/// when these bytes begin none.
Result<IndexRecord> read_png_record(std::span<const std::byte> png);

/// Bytes that check_png() takes beside the PNG.
std::uint64_t png_checking_bytes(const IndexRecord& record);

/// The verdict on bare pixels, which are kept as they are, or quarantined above settings.max_px.
ImageVerdict check_raw(std::span<const std::byte> pixels, const RawShape& shape,
                       const CheckSettings& settings);

}  // namespace penstock::convert
