#include "streamer/pipeline/resize_transform.h"

#include <boost/test/unit_test.hpp>
#include <opencv2/imgproc.hpp>

#include "tests/streamer/small_dataset.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(resize_transform)

std::vector<float> apply(const ResizeTransform& transform, const BatchSpec& spec,
                         const std::vector<std::uint8_t>& pixels, SampleInfo info) {
  info.max_decode_scale = 1;
  DecodedView decoded;
  decoded.image = {.pixels_hwc = pixels.data(),
                   .width_px = info.width_px,
                   .height_px = info.height_px,
                   .channels = 3,
                   .pixel_stride_bytes = 3,
                   .row_stride_bytes = std::size_t{info.width_px} * 3};
  std::vector<float> out(spec.sample_bytes() / sizeof(float));
  transform.apply(decoded, transform.plan(info, spec, Draws({})), {},
                  {.spec = &spec, .pixels = reinterpret_cast<std::byte*>(out.data())});
  return out;
}

// OpenCV's INTER_LINEAR has half-pixel centres and replicates the border; its float path is exact
// to rounding.
BOOST_AUTO_TEST_CASE(pixels_equal_opencvs_bilinear_resize) {
  for (const auto& [width, height] : {std::pair{5u, 7u}, {64u, 48u}, {1u, 9u}, {200u, 31u}}) {
    BOOST_TEST_INFO("sides " << width << " x " << height);
    const auto pixels = tests::noisy_picture(width, height, 3, 8);
    const BatchSpec spec{.batch = 1, .height_px = 24, .width_px = 40};
    const auto found =
        apply(ResizeTransform(), spec, pixels, {.width_px = width, .height_px = height});
    cv::Mat source(static_cast<int>(height), static_cast<int>(width), CV_8UC3,
                   const_cast<std::uint8_t*>(pixels.data()));
    cv::Mat as_float;
    source.convertTo(as_float, CV_32FC3, 1.0 / 255);
    cv::Mat expected;
    cv::resize(as_float, expected, {40, 24}, 0, 0, cv::INTER_LINEAR);
    for (std::size_t i = 0; i < found.size(); ++i) {
      BOOST_REQUIRE_SMALL(found[i] - expected.ptr<float>()[i], 2e-5f);
    }
  }
}

// EXIF 2.32, Orientation: the picture F as a camera stores it in each orientation, by hand. The
// upright picture is 2 wide and 3 high:   1 2
//                                         3 4
//                                         5 6
BOOST_AUTO_TEST_CASE(every_exif_orientation_comes_out_upright) {
  const std::vector<std::vector<std::uint8_t>> stored = {
      {1, 2, 3, 4, 5, 6}, {2, 1, 4, 3, 6, 5}, {6, 5, 4, 3, 2, 1}, {5, 6, 3, 4, 1, 2},
      {1, 3, 5, 2, 4, 6}, {2, 4, 6, 1, 3, 5}, {6, 4, 2, 5, 3, 1}, {5, 3, 1, 6, 4, 2}};
  const BatchSpec spec{.batch = 1, .height_px = 3, .width_px = 2};
  for (std::uint8_t orientation = 1; orientation <= 8; ++orientation) {
    BOOST_TEST_INFO("orientation " << int{orientation});
    std::vector<std::uint8_t> pixels;
    for (const std::uint8_t value : stored[orientation - 1u]) pixels.insert(pixels.end(), 3, value);
    const bool is_turned = orientation >= 5;
    const auto found = apply(ResizeTransform(), spec, pixels,
                             {.width_px = is_turned ? 3u : 2u,
                              .height_px = is_turned ? 2u : 3u,
                              .orientation = orientation});
    for (std::size_t i = 0; i < 6; ++i) {
      BOOST_TEST(found[3 * i] * 255.0f == static_cast<float>(i + 1),
                 boost::test_tools::tolerance(1e-4f));
    }
  }
}

BOOST_AUTO_TEST_CASE(layouts_hold_the_same_numbers_normalised_as_stated) {
  const auto pixels = tests::noisy_picture(6, 4, 3, 8);
  BatchSpec spec{.batch = 1, .height_px = 4, .width_px = 6};
  const ResizeTransform transform({.mean = {0.1f, 0.2f, 0.3f}, .std = {0.5f, 0.25f, 2.0f}});
  const auto nhwc = apply(transform, spec, pixels, {.width_px = 6, .height_px = 4});
  spec.layout = PixelLayout::kNchw;
  const auto nchw = apply(transform, spec, pixels, {.width_px = 6, .height_px = 4});
  const float mean[] = {0.1f, 0.2f, 0.3f};
  const float std[] = {0.5f, 0.25f, 2.0f};
  for (std::size_t i = 0; i < 24; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      BOOST_TEST(nhwc[3 * i + c] == nchw[24 * c + i]);
      const float expected = (static_cast<float>(pixels[3 * i + c]) / 255.0f - mean[c]) / std[c];
      BOOST_TEST(nhwc[3 * i + c] == expected, boost::test_tools::tolerance(1e-5f));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_decode_scale_never_makes_a_picture_smaller_than_the_batch) {
  const ResizeTransform transform;
  const BatchSpec spec{.batch = 1, .height_px = 100, .width_px = 100};
  const auto scale = [&](std::uint32_t width, std::uint32_t height, std::uint8_t orientation) {
    return transform.finest_decode_scale(
        {.width_px = width, .height_px = height, .orientation = orientation}, spec);
  };
  BOOST_TEST(scale(100, 100, 1) == 1u);
  BOOST_TEST(scale(199, 1000, 1) == 1u);
  BOOST_TEST(scale(200, 1000, 1) == 2u);
  BOOST_TEST(scale(800, 799, 1) == 4u);
  BOOST_TEST(scale(8000, 8000, 6) == 8u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
