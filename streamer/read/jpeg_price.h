// What a JPEG costs to decode, from its index record alone. Knows no libjpeg, only its habits.
#pragma once

#include <cstdint>

#include "streamer/core/sample_decoder.h"

namespace penstock {

/// Columns of a picture at decode scale.
struct JpegColumns {
  std::uint32_t begin = 0;
  std::uint32_t width = 0;
};

/// Returns the columns to ask jpeg_crop_scanline() for, so that those of `needed` come out as in
/// the whole picture of `width_px` columns. They may start up to kMaxJpegOverhangPx / scale before.
///
/// Source  libjpeg-turbo 2.1.5: fancy upsampling blends with the chroma sample beside, which is
///         missing at the first and the last column of a crop; chroma narrower than three samples
///         is upsampled in another way
JpegColumns jpeg_columns_to_ask(JpegColumns needed, std::uint32_t width_px) noexcept;

/// Columns at full size that jpeg_crop_scanline() may put before those that were asked for: it
/// starts at a minimum coded unit, of at most four blocks.
inline constexpr std::uint32_t kMaxJpegOverhangPx = 32;

/// Bytes of all coefficients of a picture of several scans, which decoding it holds at any scale and for
/// any region; 0 of one that is decoded row by row.
std::uint64_t jpeg_coefficient_bytes(const StoredInfo& info) noexcept;

/// Prices a picture: an upper bound that holds for every picture with such a record, and that no
/// region at the same or a coarser scale exceeds when the request is for the whole picture.
DecodePrice jpeg_decode_price(const StoredInfo& info, const DecodeRequest& request) noexcept;

}  // namespace penstock
