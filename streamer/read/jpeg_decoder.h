// JPEG through libjpeg-turbo: the decoder of the hot path.
#pragma once

#include <functional>
#include <memory>

#include "streamer/core/sample_decoder.h"
#include "streamer/read/jpeg_price.h"

namespace penstock {

/// What a JPEG's header says, found without decoding.
struct JpegHeader {
  std::uint32_t width_px = 0;
  std::uint32_t height_px = 0;
  std::uint8_t components = 0;
  bool has_several_scans = false;  // progressive, or sequential in pieces: holds all coefficients
  std::uint8_t subsampling_x = 1;
  std::uint8_t subsampling_y = 1;
};

/// Sees some rows of a picture, full width, before the next ones take their place. Must not throw.
using StripVisitor = std::function<void(const ImageView& rows)>;

/// All rows of a picture were seen.
struct StripsDone {};

/// Decodes JPEG to interleaved RGB or gray at scale 1, 1/2, 1/4 or 1/8: the region asked for, with
/// the bytes that the whole picture at that scale has there. Priced by jpeg_decode_price().
///
/// A picture of one scan with a restart marker after each row of coded units is entered a row of units
/// above the region: what lies higher is passed over, not decoded.
///
/// Errors   a fault when the bytes are no picture, are cut short, or are not what `info` says. What
///          lies below the region is not looked at, nor what is passed over above it: there the
///          checksum stands alone
/// Threads  one decoder per thread
/// Cost     allocates nothing but what is lent, after the first call; a fault makes libjpeg's
///          object anew
/// Source   libjpeg-turbo 2.1.5, libjpeg.txt
class JpegDecoder final : public SampleDecoder {
 public:
  JpegDecoder();
  ~JpegDecoder() override;

  Result<JpegHeader> read_header(std::span<const std::byte> encoded) noexcept;

  Result<DecodedView> decode(std::span<const std::byte> encoded, const StoredInfo& info,
                             const DecodeRequest& request, std::span<std::byte> pixels,
                             std::span<std::byte> scratch,
                             const std::stop_token& stop) noexcept override;

  /// Decodes a whole picture to RGB from top to bottom, a strip of as many rows as `strip` holds at a
  /// time (at least one), and shows each to `visit`: the rows of decode(), without room for them all.
  /// A fault may come after strips have been seen.
  Result<StripsDone> decode_in_strips(std::span<const std::byte> encoded, const StoredInfo& info,
                                      std::span<std::byte> strip, std::span<std::byte> scratch,
                                      const StripVisitor& visit,
                                      const std::stop_token& stop) noexcept;

  /// Scratch that the last picture took, for the test that holds the price against it.
  std::size_t last_scratch_bytes() const noexcept;

  /// Rows at full size that the last picture was entered below, for tests and benchmarks.
  std::uint32_t last_skipped_px() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
