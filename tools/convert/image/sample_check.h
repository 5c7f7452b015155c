// The verdict on a sample of another dataset that is a PNG, or no sample. A JPEG and bare pixels are
// looked at as those of other sources are.
#pragma once

#include <cstdint>
#include <stop_token>

#include "tools/convert/image/check_settings.h"
#include "tools/convert/image/stored_picture_check.h"
#include "tools/convert/source_picture.h"

namespace penstock::convert {

/// Whether a picture is a file or pixels of another source, or a sample that is looked at as those are: a
/// JPEG that begins as one, as many pixels as it says.
bool is_ordinary_sample(const SourcePicture& picture);

/// Whether a picture is a JPEG of a dataset whose index says another orientation than its EXIF: taken out,
/// or never there.
bool is_told_otherwise(const SourcePicture& picture);

/// Bytes that check_sample() takes beside the picture, an upper bound; 0 for what is refused by its
/// header.
std::uint64_t sample_checking_bytes(const SourcePicture& picture, const CheckSettings& settings);

/// The verdict on a sample that is not ordinary: quarantined, but for a PNG. In a folder it would become
/// a JPEG; in a dataset somebody has chosen it, so it is kept, and stays a PNG where no other codec is
/// asked for. What is encoded anew are the pixels that the loader shows: 8 bits, without alpha.
/// Throws Stopped, Internal.
ImageVerdict check_sample(const SourcePicture& picture, const CheckSettings& settings,
                          StoredPictureCheck& check, const std::stop_token& stop);

}  // namespace penstock::convert
