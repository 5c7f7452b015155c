// Interpolations against values that Pillow 13.0 made of one picture. torchvision 0.29 with antialias=True
// gives the same to 1e-4, torch's interpolate with mode="nearest-exact" the same pixels. In Python:
//   y, x = numpy.mgrid[0:7, 0:9]
//   p = ((x*x*7 + y*y*11 + x*y*5 + 13*((x + 2*y) % 3)) % 251).astype(numpy.uint8)
//   Image.fromarray(p.astype(numpy.float32), mode="F").resize((4, 3), Image.BILINEAR)
// (BICUBIC; NEAREST of the bytes). Picture of floats, so that Pillow rounds nothing.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "tests/augment/test_picture.h"

namespace penstock::augment {
namespace {

using Values = std::vector<float>;

/// The formula above.
TestPicture formula_picture() {
  TestPicture picture = gray_picture({9, 7}, {});
  for (std::uint32_t y = 0; y < 7; ++y) {
    for (std::uint32_t x = 0; x < 9; ++x) {
      picture.bytes.push_back(static_cast<std::uint8_t>(
          (x * x * 7 + y * y * 11 + x * y * 5 + 13 * ((x + 2 * y) % 3)) % 251));
    }
  }
  return picture;
}

const Values kAntialias4x3 = {38.8163f,  101.1742f, 132.8066f, 110.4265f, 116.5429f, 128.2195f,
                              123.5595f, 125.3126f, 114.3245f, 89.7683f,  131.1742f, 127.7122f};
const Values kAntialias3x7 = {28.8750f,  106.4444f, 120.5000f, 47.7500f,  137.4444f, 99.2500f,
                              88.6250f,  134.6667f, 136.2500f, 146.6250f, 126.0000f, 132.5000f,
                              137.3750f, 111.4444f, 114.5000f, 87.3750f,  91.0000f,  123.3750f,
                              117.2500f, 120.4444f, 154.2500f};
const Values kAntialias12x10 = {
    0.0000f,   12.5000f,  32.7500f,  55.1250f,  61.8750f,  101.7500f, 153.5000f, 176.0000f,
    26.0000f,  66.0000f,  149.2500f, 223.0000f, 20.3500f,  21.1625f,  35.4313f,  62.5500f,
    87.4500f,  118.6625f, 164.4312f, 191.6750f, 59.8250f,  91.1625f,  116.6625f, 105.8500f,
    42.0000f,  40.1250f,  50.4375f,  76.2812f,  116.9688f, 148.1250f, 166.4062f, 161.0000f,
    92.0000f,  131.1250f, 110.3125f, 25.0000f,  56.0000f,  73.3750f,  86.3125f,  97.7188f,
    141.0312f, 191.8750f, 146.8938f, 39.2000f,  104.6000f, 185.3750f, 167.1875f, 67.0000f,
    84.3000f,  105.0813f, 130.1500f, 155.6375f, 182.5625f, 132.1125f, 94.5563f,  96.6375f,
    155.0625f, 136.1125f, 130.0562f, 148.6500f, 135.0500f, 149.4875f, 144.2375f, 125.9750f,
    155.5250f, 99.1687f,  97.1813f,  154.3438f, 149.5063f, 113.6687f, 110.2375f, 139.5500f,
    193.7500f, 195.7500f, 127.1438f, 19.3312f,  70.5188f,  99.4563f,  147.0625f, 189.9750f,
    93.8250f,  124.4563f, 114.1438f, 50.3000f,  78.2500f,  99.5000f,  99.4062f,  86.9688f,
    140.7812f, 79.5938f,  63.9375f,  114.3750f, 152.6250f, 115.0938f, 107.4062f, 138.5000f,
    85.6000f,  115.1312f, 105.4187f, 66.9125f,  110.1875f, 86.9000f,  99.2750f,  148.7437f,
    138.8062f, 132.9000f, 134.4187f, 141.2000f, 145.0000f, 176.2500f, 124.8750f, 12.8750f,
    42.1250f,  104.5000f, 178.7500f, 223.7500f, 96.2500f,  158.7500f, 170.3750f, 106.0000f};
// Not clamped: Pillow's floats overshoot.
const Values kBicubic13x9 = {
    -3.0869f,  7.3121f,   27.3696f,  51.8707f,  54.9713f,  75.5320f,  124.1479f, 196.6887f,
    128.4165f, -4.1971f,  71.1231f,  172.5715f, 241.0946f, 24.0626f,  17.9378f,  23.5378f,
    54.1401f,  81.2358f,  104.9006f, 131.5714f, 219.7823f, 167.7188f, 40.4914f,  105.7609f,
    103.2016f, 71.3050f,  45.7028f,  45.6534f,  51.2013f,  67.4715f,  105.8446f, 152.3307f,
    188.6324f, 151.3121f, 107.6835f, 94.0159f,  183.1392f, 111.9972f, 3.7372f,   61.5522f,
    80.5989f,  102.2263f, 110.9649f, 145.0644f, 181.7222f, 192.7709f, 59.1672f,  46.3944f,
    143.5214f, 203.0539f, 158.4243f, 91.2509f,  96.8371f,  114.0396f, 144.8639f, 180.0118f,
    213.3268f, 159.3769f, 33.0000f,  89.1589f,  160.2176f, 185.6113f, 74.4242f,  113.7137f,
    199.2191f, 195.7024f, 208.6823f, 168.3578f, 38.0673f,  61.5823f,  96.3108f,  105.8615f,
    190.9731f, 170.0049f, 84.9777f,  135.0938f, 108.0105f, 58.5776f,  104.8409f, 123.2748f,
    116.9181f, 58.3848f,  108.5181f, 114.6610f, 52.4870f,  103.0860f, 138.1397f, 137.8997f,
    107.3611f, 103.7950f, 112.7462f, 56.8541f,  87.6777f,  106.1177f, 78.1878f,  124.3805f,
    117.5198f, 44.5714f,  92.3884f,  141.0267f, 158.6305f, 112.6741f, 127.5287f, 161.7016f,
    147.0079f, 188.6033f, 167.0036f, 11.6885f,  11.0408f,  67.9270f,  145.0592f, 241.2556f,
    188.8001f, 70.7959f,  192.9759f, 170.6799f, 95.9997f};
const Values kNearest5x4 = {0,   54, 125, 1,  223, 57,  92, 222, 118, 70,
                            202, 6,  117, 72, 44,  145, 8,  139, 75,  106};
const Values kNearest18x3 = {37,  37,  23,  23,  62, 62, 115, 115, 143, 143, 224, 224, 68,  68,
                             138, 138, 10,  10,  99, 99, 134, 134, 183, 183, 207, 207, 33,  33,
                             124, 124, 190, 190, 58, 58, 191, 191, 37,  37,  82,  82,  102, 102,
                             175, 175, 11,  11,  73, 73, 188, 188, 66,  66,  170, 170};

TestPicture with_channels(const TestPicture& gray, std::uint32_t channels) {
  TestPicture picture{{}, gray.size, channels};
  for (const std::uint8_t byte : gray.bytes) {
    for (std::uint32_t c = 0; c < channels; ++c) picture.bytes.push_back(byte);
  }
  return picture;
}

Values resized(Interpolation interpolation, SizePx output, std::uint32_t channels) {
  const TestPicture picture = with_channels(formula_picture(), channels);
  const AugmentTransform transform(
      {.rescale = 1, .interpolation = interpolation, .decode_scaling = DecodeScaling::kOff});
  return transform_picture(transform, picture.decoded(), info_of(picture.size),
                           spec_of(output, channels, PixelLayout::kNhwc), Draws({}));
}

/// The largest difference in levels; every channel shows the gray picture.
double largest_difference(Interpolation interpolation, SizePx output, const Values& expected,
                          std::uint32_t channels) {
  const Values out = resized(interpolation, output, channels);
  BOOST_REQUIRE(out.size() == expected.size() * channels);
  double largest = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double clamped = std::clamp(expected[i / channels], 0.0f, 255.0f);
    largest = std::max(largest, std::abs(out[i] - clamped));
  }
  return largest;
}

BOOST_AUTO_TEST_SUITE(interpolation)

// Weights of rows are whole multiples of 2^-14: for seven rows of up to 251 levels at most
// 0.5 * 7 * 251 / 16384 = 0.054; about a tenth of it is seen. Three channels take the vectors.
BOOST_AUTO_TEST_CASE(antialiased_bilinear_equals_pillow_and_torchvision) {
  const auto kind = Interpolation::kBilinearAntialias;
  for (const std::uint32_t channels : {1u, 3u}) {
    BOOST_TEST(largest_difference(kind, {4, 3}, kAntialias4x3, channels) < 0.02);
    BOOST_TEST(largest_difference(kind, {3, 7}, kAntialias3x7, channels) < 0.02);
    BOOST_TEST(largest_difference(kind, {12, 10}, kAntialias12x10, channels) < 0.02);
  }
}

BOOST_AUTO_TEST_CASE(bicubic_equals_pillow_enlarging_and_is_clamped) {
  BOOST_TEST(*std::ranges::min_element(kBicubic13x9) < -4);
  for (const std::uint32_t channels : {1u, 3u}) {
    BOOST_TEST(largest_difference(Interpolation::kBicubic, {13, 9}, kBicubic13x9, channels) < 0.02);
  }
}

BOOST_AUTO_TEST_CASE(nearest_equals_pillow_and_nearest_exact) {
  for (const std::uint32_t channels : {1u, 3u}) {
    BOOST_TEST(largest_difference(Interpolation::kNearest, {5, 4}, kNearest5x4, channels) == 0);
    BOOST_TEST(largest_difference(Interpolation::kNearest, {18, 3}, kNearest18x3, channels) == 0);
  }
}

// Pillow: Image.fromarray([[0, 10, 20, 30, 40, 50]]).resize((3, 1), Image.NEAREST) is [[10, 30, 50]].
BOOST_AUTO_TEST_CASE(on_the_border_of_two_pixels_nearest_takes_the_one_behind) {
  const TestPicture picture = gray_picture({6, 1}, {0, 10, 20, 30, 40, 50});
  const AugmentTransform transform({.rescale = 1,
                                    .interpolation = Interpolation::kNearest,
                                    .decode_scaling = DecodeScaling::kOff});
  BOOST_TEST(transform_picture(transform, picture.decoded(), info_of({6, 1}), spec_of({3, 1}, 1),
                               Draws({})) == Values({10, 30, 50}),
             boost::test_tools::per_element());
}

// A picture that is one colour stays it, at any size: weights of rows add up to one exactly, those of
// columns but for float rounding.
BOOST_AUTO_TEST_CASE(a_flat_picture_stays_flat) {
  for (const Interpolation kind : {Interpolation::kBilinearAntialias, Interpolation::kBicubic}) {
    const AugmentTransform transform(
        {.rescale = 1, .interpolation = kind, .decode_scaling = DecodeScaling::kOff});
    for (const int level : {0, 1, 77, 255}) {
      TestPicture picture{{}, {61, 83}, 3};
      picture.bytes.assign(std::size_t{61} * 83 * 3, static_cast<std::uint8_t>(level));
      for (const SizePx output : {SizePx{1, 1}, SizePx{7, 5}, SizePx{100, 40}}) {
        for (const float value : transform_picture(transform, picture.decoded(), info_of({61, 83}),
                                                   spec_of(output, 3), Draws({}))) {
          BOOST_REQUIRE(std::abs(value - static_cast<float>(level)) < 1e-4f);
        }
      }
    }
  }
}

// By hand: the mean of a row of 0, 1, ... 250, 0, ... weighed with a triangle over all of it is about the
// mean; thin pictures and the longest side that formats allow pass with every interpolation.
BOOST_AUTO_TEST_CASE(the_longest_and_the_thinnest_pictures_pass) {
  for (const SizePx size : {SizePx{65500, 2}, SizePx{2, 65500}, SizePx{65500, 1}, SizePx{1, 1}}) {
    TestPicture picture{{}, size, 3};
    const std::size_t num_px = std::size_t{size.width} * size.height;
    for (std::size_t i = 0; i < num_px * 3; ++i) {
      picture.bytes.push_back(static_cast<std::uint8_t>(i / 3 % 251));
    }
    for (const Interpolation kind : {Interpolation::kNearest, Interpolation::kBilinear,
                                     Interpolation::kBilinearAntialias, Interpolation::kBicubic}) {
      const AugmentTransform transform(
          {.rescale = 1, .interpolation = kind, .decode_scaling = DecodeScaling::kOff});
      for (const SizePx output : {SizePx{1, 1}, SizePx{24, 24}}) {
        const Values out = transform_picture(transform, picture.decoded(), info_of(size),
                                             spec_of(output, 3, PixelLayout::kNchw), Draws({}));
        for (const float value : out) BOOST_REQUIRE((value >= 0 && value <= 255));
        if (kind == Interpolation::kBilinearAntialias && num_px > 1 && output.width == 1) {
          BOOST_TEST(std::abs(out[0] - 125) < 1.0f);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
