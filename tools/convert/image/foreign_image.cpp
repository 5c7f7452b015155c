#include "tools/convert/image/foreign_image.h"

#include <array>
#include <exception>
#include <opencv2/core.hpp>
#include <opencv2/core/utility.hpp>
#include <opencv2/imgcodecs.hpp>
#include <utility>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

// 65535 / 255 = 257 exactly: v / 257, rounded.
std::uint8_t to_8_bit(std::uint16_t value) {
  return static_cast<std::uint8_t>((value + 128u) / 257u);
}
std::uint8_t to_8_bit(std::uint8_t value) {
  return value;
}

std::uint8_t onto(unsigned behind, unsigned value, unsigned alpha) {
  return static_cast<std::uint8_t>((value * alpha + behind * (255u - alpha) + 127u) / 255u);
}

// Source pixels are gray, BGR or BGRA of T.
template <class T>
void convert_rows(const cv::Mat& image, const RgbColour& background, DecodedPixels& pixels) {
  const std::array<std::uint8_t, 3> behind{background.red, background.green, background.blue};
  const int channels = image.channels();
  std::uint8_t* out = pixels.pixels_hwc.data();
  for (int y = 0; y < image.rows; ++y) {
    const T* in = image.ptr<T>(y);
    for (int x = 0; x < image.cols; ++x, in += channels, out += pixels.channels) {
      if (channels == 1) {
        out[0] = to_8_bit(in[0]);
        continue;
      }
      const unsigned alpha = channels == 4 ? to_8_bit(in[3]) : 255u;
      for (int c = 0; c < 3; ++c) out[c] = onto(behind[c], to_8_bit(in[2 - c]), alpha);
    }
  }
}

}  // namespace

DecodeOutcome decode_foreign_image(std::span<const std::byte> encoded,
                                   const RgbColour& background) {
  cv::Mat image;
  try {
    // OpenCV takes no const data; it does not write into it.
    const cv::Mat bytes(1, static_cast<int>(encoded.size()), CV_8UC1,
                        const_cast<std::byte*>(encoded.data()));
    image = cv::imdecode(bytes, cv::IMREAD_UNCHANGED);
  } catch (const cv::Exception& error) {
    return std::string(error.err);
  }
  if (image.empty()) return std::string("the decoder gave no picture");
  const int channels = image.channels();
  if (channels != 1 && channels != 3 && channels != 4) {
    return "a picture with " + std::to_string(channels) + " channels";
  }
  DecodedPixels pixels{.pixels_hwc = {},
                       .width_px = static_cast<std::uint32_t>(image.cols),
                       .height_px = static_cast<std::uint32_t>(image.rows),
                       .channels = channels == 1 ? 1u : 3u,
                       .had_alpha = channels == 4,
                       .had_16_bits = image.depth() == CV_16U};
  pixels.pixels_hwc.resize(std::size_t{pixels.width_px} * pixels.height_px * pixels.channels);
  switch (image.depth()) {
    case CV_8U:
      convert_rows<std::uint8_t>(image, background, pixels);
      return pixels;
    case CV_16U:
      convert_rows<std::uint16_t>(image, background, pixels);
      return pixels;
    default:
      return std::string("samples that are neither 8 nor 16 bit integers");
  }
}

std::vector<std::byte> encode_png(DecodedPixels pixels) {
  // OpenCV's order is blue, green, red.
  if (pixels.channels == 3) {
    for (std::size_t i = 0; i + 2 < pixels.pixels_hwc.size(); i += 3) {
      std::swap(pixels.pixels_hwc[i], pixels.pixels_hwc[i + 2]);
    }
  }
  const cv::Mat image(static_cast<int>(pixels.height_px), static_cast<int>(pixels.width_px),
                      pixels.channels == 3 ? CV_8UC3 : CV_8UC1, pixels.pixels_hwc.data());
  std::vector<std::uint8_t> png;
  try {
    if (!cv::imencode(".png", image, png)) check_internal(false, "a picture becomes a PNG");
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::kInternal, "encode PNG: OpenCV: " + std::string(error.err));
  }
  const auto bytes = std::as_bytes(std::span(png));
  return {bytes.begin(), bytes.end()};
}

std::string opencv_version() {
  return cv::getVersionString();
}

}  // namespace penstock::convert
