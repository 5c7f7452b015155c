// The libraries on whose versions the bytes of a conversion depend.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace penstock::convert {

/// Names and versions: asked of the library that is loaded; of libjpeg-turbo and giflib, which cannot
/// tell, as it was built with.
std::vector<std::pair<std::string, std::string>> codec_versions();

/// "libjpeg-turbo 2.1.5, giflib 5.2.1, libpng 1.6.39, libtiff 4.5.0, libwebp 1.2.4".
std::string codec_versions_text();

}  // namespace penstock::convert
