#include "tools/convert/image/codec_versions.h"

#include <fmt/core.h>

// jpeglib.h needs size_t and FILE.
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include "tools/convert/image/gif_picture.h"
#include "tools/convert/image/png_picture.h"
#include "tools/convert/image/tiff_picture.h"
#include "tools/convert/image/webp_picture.h"

namespace penstock::convert {

std::vector<std::pair<std::string, std::string>> codec_versions() {
  constexpr int kJpeg = LIBJPEG_TURBO_VERSION_NUMBER;  // 2001005 is 2.1.5
  return {{"libjpeg-turbo",
           fmt::format("{}.{}.{}", kJpeg / 1'000'000, kJpeg / 1000 % 1000, kJpeg % 1000)},
          {"giflib", giflib_version()},
          {"libpng", libpng_version()},
          {"libtiff", libtiff_version()},
          {"libwebp", libwebp_version()}};
}

std::string codec_versions_text() {
  std::string text;
  for (const auto& [name, version] : codec_versions()) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, version);
  }
  return text;
}

}  // namespace penstock::convert
