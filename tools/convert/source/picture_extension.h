// Extensions that name pictures, where names have to tell a picture from what stands beside it: in
// rows of a WebDataset. What a file is, its bytes say.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "tools/convert/ascii_case.h"

namespace penstock::convert {

/// Of an extension without its dot, in any case.
inline bool is_picture_extension(std::string_view extension) {
  constexpr std::array<std::string_view, 10> kExtensions{"bmp", "gif", "jpeg", "jpg",  "pgm",
                                                         "png", "ppm", "tif",  "tiff", "webp"};
  const std::string lower = ascii_lower(extension);
  return std::find(kExtensions.begin(), kExtensions.end(), lower) != kExtensions.end();
}

/// Of a path.
inline bool is_named_as_picture(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot != std::string_view::npos && is_picture_extension(path.substr(dot + 1));
}

}  // namespace penstock::convert
