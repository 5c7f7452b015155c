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

/// Whether a reason that a JPEG's markers tell is to be mended, so that it is decoded anyway.
bool is_mended_by_header(const ReasonSet& reasons, const CheckSettings& settings);

/// The verdict on what is stored instead of `jpeg`, on which `kept` is the one that keeps it; where
/// nothing is to be fixed, or a fix cannot be done, that one. Where is_mended_by_header(), the pixels'
/// digest must have been taken last. Throws Stopped.
ImageVerdict fix_jpeg_bytes(std::span<const std::byte> jpeg, const JpegStructure& structure,
                            ImageVerdict kept, const CheckSettings& settings,
                            StoredPictureCheck& check, const std::stop_token& stop);

}  // namespace penstock::convert
