// PNG through libpng: pictures that must keep every bit, and those that JPEG does not suit.
#pragma once

#include <memory>

#include "streamer/core/sample_decoder.h"

namespace penstock {

/// Prices a picture from its index record alone: an upper bound for every bit depth and colour
/// type.
DecodePrice png_decode_price(const StoredInfo& info, const DecodeRequest& request) noexcept;

/// Decodes PNG to interleaved 8-bit RGB or gray: the region asked for. Palettes are looked up, 16
/// bits keep their upper 8, alpha is dropped (compositing belongs to the conversion). Colour
/// profiles, gamma and every other chunk that is not the picture are passed over.
///
/// Errors   a fault when the bytes are no picture, are cut short or damaged (CRC, Adler-32), or are
///          not what `info` says: sides, components (1 gray, 3 colour), interlacing. What lies
///          below the region is looked at only where the picture is interlaced
/// Threads  one decoder per thread
/// Cost     allocates nothing but what is lent; supports decode scale 1 only
/// Source   libpng 1.6, libpng-manual.txt
class PngDecoder final : public SampleDecoder {
 public:
  PngDecoder();
  ~PngDecoder() override;

  Result<DecodedView> decode(std::span<const std::byte> encoded, const StoredInfo& info,
                             const DecodeRequest& request, std::span<std::byte> pixels,
                             std::span<std::byte> scratch,
                             const std::stop_token& stop) noexcept override;

  /// Scratch that the last picture took, for the test that holds the price against it.
  std::size_t last_scratch_bytes() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock
