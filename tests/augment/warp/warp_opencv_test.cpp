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

// Keras' matrix as ImageDataGenerator.apply_affine_transform writes it, for (row, column), with the
// centre corrected: R T S Z about (n - 1) / 2, multiplied by OpenCV. The border is warpAffine's own.
BOOST_AUTO_TEST_CASE(rotation_and_shear_equal_warp_affine_with_every_border) {
  const SizePx size{80, 60};
  const TestPicture picture = smooth_picture(size);
  const std::pair<FillMode, int> modes[] = {{FillMode::kNearest, cv::BORDER_REPLICATE},
                                            {FillMode::kReflect, cv::BORDER_REFLECT},
                                            {FillMode::kWrap, cv::BORDER_WRAP}};
  for (const auto& [mode, border] : modes) {
    const AugmentTransform transform({.width_shift_range = 0.2,
                                      .height_shift_range = 0.2,
                                      .zoom_range = {.lo = 0.7, .hi = 1.4},
                                      .rotation_range = 90,
                                      .shear_range = 30,
                                      .fill_mode = mode,
                                      .rescale = 1});
    for (std::uint64_t position = 0; position < 20; ++position) {
      const Draws draws({.seed = 22, .position = position});
      const AugmentDraws drawn =
          draw_augmentation(transform.config(), {.output = size, .upright = size}, draws);
      const double theta = drawn.rotation_rad;
      const double shear = drawn.shear_rad;
      const cv::Mat r = (cv::Mat_<double>(3, 3) << std::cos(theta), -std::sin(theta), 0,
                         std::sin(theta), std::cos(theta), 0, 0, 0, 1);
      const cv::Mat t =
          (cv::Mat_<double>(3, 3) << 1, 0, drawn.shift_px.y, 0, 1, drawn.shift_px.x, 0, 0, 1);
      const cv::Mat s =
          (cv::Mat_<double>(3, 3) << 1, -std::sin(shear), 0, 0, std::cos(shear), 0, 0, 0, 1);
      const cv::Mat z = (cv::Mat_<double>(3, 3) << drawn.zoom.y, 0, 0, 0, drawn.zoom.x, 0, 0, 0, 1);
      const cv::Mat to = (cv::Mat_<double>(3, 3) << 1, 0, 29.5, 0, 1, 39.5, 0, 0, 1);
      const cv::Mat from = (cv::Mat_<double>(3, 3) << 1, 0, -29.5, 0, 1, -39.5, 0, 0, 1);
      const cv::Mat m = to * r * t * s * z * from;
      const auto at = [&](int i, int j) { return m.at<double>(i, j); };
      const cv::Mat matrix =
          (cv::Mat_<double>(2, 3) << at(1, 1), at(1, 0), at(1, 2), at(0, 1), at(0, 0), at(0, 2));
      cv::Mat expected;
      cv::warpAffine(float_image(picture), expected, matrix, {80, 60},
                     cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, border);
      const std::vector<float> out =
          transform_picture(transform, picture.decoded(), info_of(size), spec_of(size, 3), draws);
      // Positions rounded to 1/32 of a pixel; at the seam of a wrapped picture neighbours differ by
      // up to 200 levels instead of four.
      const double step = mode == FillMode::kWrap ? 200 : 4;
      BOOST_TEST(largest_difference(out, expected) < 2 * step / 64 + 0.01,
                 fill_mode_name(mode)
                     << ", position " << position << ": " << largest_difference(out, expected));
    }
  }
}

// INTER_NEAREST_EXACT has half-pixel centres too, in fixed point of 16 bits: a position on the border of
// two pixels may fall to either. (Where all of them do, halving, OpenCV takes the one before, Pillow the
// one behind: suite interpolation.)
BOOST_AUTO_TEST_CASE(nearest_equals_inter_nearest_exact_but_for_ties) {
  std::mt19937_64 random(10);
  const AugmentTransform transform({.rescale = 1,
                                    .interpolation = Interpolation::kNearest,
                                    .decode_scaling = DecodeScaling::kOff});
  std::size_t num_pixels = 0;
  std::size_t num_ties = 0;
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
               cv::INTER_NEAREST_EXACT);
    for (std::size_t i = 0; i < out.size(); i += 3) {
      const auto y = static_cast<int>(i / 3 / output.width);
      const auto x = static_cast<int>(i / 3 % output.width);
      ++num_pixels;
      if (out[i] != expected.at<cv::Vec3f>(y, x)[0]) ++num_ties;
    }
  }
  BOOST_TEST_MESSAGE(num_ties << " ties of " << num_pixels);
  BOOST_TEST(num_ties < num_pixels / 200);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
