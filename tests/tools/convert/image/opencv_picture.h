// Files written and read by OpenCV's imgcodecs, which know nothing of Penstock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <opencv2/core.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/convert/image/decoded_pixels.h"
#include "tools/convert/image/rgb_colour.h"

namespace penstock::tests {

std::vector<std::byte> encoded_by_opencv(const std::string& extension, const cv::Mat& image,
                                         const std::vector<int>& parameters = {});

/// As decode_foreign_image() promises it: alpha onto `background`, 16 bit rounded to 8. Nothing when
/// OpenCV does not read it, or reads what is neither 8 nor 16 bit.
std::optional<convert::DecodedPixels> read_by_opencv(std::span<const std::byte> file,
                                                     const convert::RgbColour& background);

}  // namespace penstock::tests
