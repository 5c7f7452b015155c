#include "tests/tools/convert/image/opencv_picture.h"

#include <cmath>
#include <cstring>
#include <opencv2/imgcodecs.hpp>

namespace penstock::tests {
namespace {

double value_of(const cv::Mat& image, int y, int x, int c) {
  if (image.depth() == CV_8U) return image.ptr<std::uint8_t>(y)[x * image.channels() + c];
  return std::round(image.ptr<std::uint16_t>(y)[x * image.channels() + c] * 255.0 / 65535.0);
}

}  // namespace

std::vector<std::byte> encoded_by_opencv(const std::string& extension, const cv::Mat& image,
                                         const std::vector<int>& parameters) {
  std::vector<std::uint8_t> encoded;
  cv::imencode(extension, image, encoded, parameters);
  std::vector<std::byte> bytes(encoded.size());
  std::memcpy(bytes.data(), encoded.data(), encoded.size());
  return bytes;
}

std::optional<convert::DecodedPixels> read_by_opencv(std::span<const std::byte> file,
                                                     const convert::RgbColour& background) {
  const cv::Mat bytes(1, static_cast<int>(file.size()), CV_8UC1,
                      const_cast<std::byte*>(file.data()));
  const cv::Mat image = cv::imdecode(bytes, cv::IMREAD_UNCHANGED);
  const int channels = image.channels();
  if (image.empty() || image.depth() > CV_16U || image.depth() == CV_8S || channels == 2) {
    return std::nullopt;
  }
  convert::DecodedPixels pixels{.pixels_hwc = {},
                                .width_px = static_cast<std::uint32_t>(image.cols),
                                .height_px = static_cast<std::uint32_t>(image.rows),
                                .channels = channels == 1 ? 1u : 3u,
                                .had_alpha = channels == 4,
                                .had_16_bits = image.depth() == CV_16U};
  const int behind[] = {background.red, background.green, background.blue};
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      const double alpha = channels == 4 ? value_of(image, y, x, 3) : 255;
      for (int c = 0; c < static_cast<int>(pixels.channels); ++c) {
        const double value = value_of(image, y, x, channels == 1 ? 0 : 2 - c);
        pixels.pixels_hwc.push_back(static_cast<std::uint8_t>(
            std::round((value * alpha + behind[c] * (255 - alpha)) / 255)));
      }
    }
  }
  return pixels;
}

}  // namespace penstock::tests
