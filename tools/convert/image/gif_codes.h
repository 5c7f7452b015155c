// Whether the codes of a GIF's frame are those of a picture.
#pragma once

#include <optional>
#include <string>

#include "tools/convert/image/gif_file.h"

namespace penstock::convert {

/// Goes through the codes of the frame that was found, to its last pixel. Giflib makes pixels of codes
/// that stand for none, and says nothing; and what is found here costs no memory for a picture.
///
/// Memory  8 KB
/// Errors  why they make no picture of its sides
/// Source  Graphics Interchange Format, version 89a, appendix F
std::optional<std::string> fault_of_gif_codes(GifFile& file);

}  // namespace penstock::convert
