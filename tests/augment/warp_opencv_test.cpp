// The fused pass against OpenCV, which shares nothing with it.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <random>

#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

cv::Mat float_image(const TestPicture& picture) {
  const cv::Mat bytes(static_cast<int>(picture.size.height), static_cast<int>(picture.size.width),
                      CV_8UC3, const_cast<std::uint8_t*>(picture.bytes.data()));
  cv::Mat floats;
  bytes.convertTo(floats, CV_32F);
  return floats;
}

double largest_difference(const std::vector<float>& out, const cv::Mat& expected) {
  double largest = 0;
  const auto width = static_cast<std::size_t>(expected.cols);
  for (int y = 0; y < expected.rows; ++y) {
    for (int x = 0; x < expected.cols; ++x) {
      for (int c = 0; c < 3; ++c) {
        const std::size_t idx = (static_cast<std::size_t>(y) * width + x) * 3 + c;
        largest = std::max(largest, std::abs(double{out[idx]} - expected.at<cv::Vec3f>(y, x)[c]));
      }
    }
  }
  return largest;
}

/// A smooth picture: neighbouring pixels differ by at most four levels.
TestPicture smooth_picture(SizePx size) {
  TestPicture picture{{}, size, 3};
  for (std::uint32_t y = 0; y < size.height; ++y) {
    for (std::uint32_t x = 0; x < size.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const double value = 127 + 60 * std::sin(0.04 * x + c) + 60 * std::cos(0.05 * y - c);
        picture.bytes.push_back(static_cast<std::uint8_t>(std::lround(value)));
      }
    }
  }
  return picture;
}

BOOST_AUTO_TEST_SUITE(warp_opencv)

// cv::resize INTER_LINEAR has half-pixel centres and clamps at the border. It works out positions
// in float32: for positions below 300 that is 300 * 2^-24 of a pixel, times 255 levels 0.005.
BOOST_AUTO_TEST_CASE(a_plain_resize_equals_inter_linear) {
  std::mt19937_64 random(9);
  const AugmentTransform transform({.rescale = 1, .decode_scaling = DecodeScaling::kOff});
  const std::vector<std::pair<SizePx, SizePx>> sizes = {
      {{17, 11}, {64, 48}},  {{96, 96}, {96, 96}}, {{300, 200}, {96, 96}},
      {{33, 250}, {50, 50}}, {{1, 9}, {5, 20}},    {{5, 1}, {224, 7}}};
  for (const auto& [source, output] : sizes) {
    const TestPicture picture = noise_picture(source, 3, random);
    const std::vector<float> out = transform_picture(transform, picture.decoded(), info_of(source),
                                                     spec_of(output, 3), Draws({}));
    cv::Mat expected;
    cv::resize(float_image(picture), expected,
               {static_cast<int>(output.width), static_cast<int>(output.height)}, 0, 0,
               cv::INTER_LINEAR);
    BOOST_TEST(largest_difference(out, expected) < 0.02,
               source.width << " x " << source.height << ": " << largest_difference(out, expected));
  }
}

// The matrix of Keras' formulas, written out here: x' = centre + z (x - centre) + t. warpAffine
// rounds positions to 1/32 of a pixel: up to 1/64 of a pixel on each axis, times four levels.
BOOST_AUTO_TEST_CASE(zoom_shift_and_flip_equal_warp_affine) {
  const SizePx size{80, 60};
  const TestPicture picture = smooth_picture(size);
  const AugmentTransform transform({.horizontal_flip = 0.5,
                                    .width_shift_range = 0.2,
                                    .height_shift_range = 0.2,
                                    .zoom_range = {.lo = 0.6, .hi = 1.4},
                                    .rescale = 1});
  const BatchSpec spec = spec_of(size, 3);
  int num_flipped = 0;
  for (std::uint64_t position = 0; position < 40; ++position) {
    const Draws draws({.seed = 21, .position = position});
    const AugmentDraws drawn =
        draw_augmentation(transform.config(), {.output = size, .upright = size}, draws);
    const double centre_x = 39.5;
    const double centre_y = 29.5;
    double xx = drawn.zoom.x;
    double x0 = centre_x - drawn.zoom.x * centre_x + drawn.shift_px.x;
    const double y0 = centre_y - drawn.zoom.y * centre_y + drawn.shift_px.y;
    if (drawn.is_flipped) {
      x0 += xx * 79;
      xx = -xx;
      ++num_flipped;
    }
    const cv::Mat matrix = (cv::Mat_<double>(2, 3) << xx, 0, x0, 0, drawn.zoom.y, y0);
    cv::Mat expected;
    cv::warpAffine(float_image(picture), expected, matrix, {80, 60},
                   cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, cv::BORDER_REPLICATE);
    const std::vector<float> out =
        transform_picture(transform, picture.decoded(), info_of(size), spec, draws);
    BOOST_TEST(largest_difference(out, expected) < 2 * 4.0 / 64 + 0.01,
               "position " << position << ": " << largest_difference(out, expected));
  }
  BOOST_TEST(num_flipped > 5);
  BOOST_TEST(num_flipped < 35);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
