// Fixes of a JPEG that change its bytes and none of its pixels, where that can be: another coding,
// what follows its end cut off, turned upright block by block.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>

#include "tools/convert/image/check_settings.h"
#include "tools/convert/image/jpeg_structure.h"
#include "tools/convert/image/stored_picture_check.h"

namespace penstock::convert {

/// A JPEG of one or three components, and what was read of it.
struct OrdinaryJpeg {
  std::span<const std::byte> bytes;
  const JpegHeader& header;
  const JpegStructure& structure;
};

/// All that its markers tell, kLargeCoefficients too.
ReasonSet reasons_of(const OrdinaryJpeg& jpeg, const CheckSettings& settings);

/// Whether it gets restart markers, so that a crop is decoded from its own rows on: one scan that has
/// none yet, of at least four rows of coded units, and whose coefficients are within the limit.
bool gains_by_restarts(const OrdinaryJpeg& jpeg, const CheckSettings& settings);

/// Whether something that a JPEG's markers tell is to be mended, so that it is decoded anyway.
bool is_mended_by_header(const OrdinaryJpeg& jpeg, const CheckSettings& settings);

/// The verdict on what is stored instead of `jpeg`, on which `kept` is the one that keeps it; where
/// nothing is to be fixed, or a fix cannot be done, that one; but what keeps coefficients above the limit
/// that were to be mended is quarantined. Where is_mended_by_header(), the pixels'
/// digest must have been taken last. Throws Stopped.
ImageVerdict fix_jpeg_bytes(const OrdinaryJpeg& jpeg, ImageVerdict kept,
                            const CheckSettings& settings, StoredPictureCheck& check,
                            const std::stop_token& stop);

}  // namespace penstock::convert
