#include "tools/convert/image/pixel_sums.h"

#include <boost/test/unit_test.hpp>
#include <vector>

namespace penstock::convert {
namespace {

ImageView view_of(const std::vector<std::uint8_t>& pixels, std::uint32_t width_px,
                  std::uint32_t height_px, std::uint32_t channels, std::uint32_t stride) {
  return {.pixels_hwc = pixels.data(),
          .width_px = width_px,
          .height_px = height_px,
          .channels = channels,
          .pixel_stride_bytes = stride,
          .row_stride_bytes = std::size_t{width_px} * stride};
}

BOOST_AUTO_TEST_SUITE(pixel_sums)

// By hand: red 0 and 255 has mean 0.5 and deviation 0.5; green 51 twice 0.2 and 0; blue 0 and 51:
// 0.1 and 0.1.
BOOST_AUTO_TEST_CASE(mean_and_deviation_of_two_pixels) {
  PixelSums sums;
  sums.add(view_of({0, 51, 0, 255, 51, 51}, 2, 1, 3, 3));
  BOOST_TEST(sums.num_px == 2u);
  BOOST_TEST(sums.mean()[0] == 0.5, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(sums.mean()[1] == 0.2, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(sums.mean()[2] == 0.1, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(sums.standard_deviation()[0] == 0.5, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(sums.standard_deviation()[1] == 0.0);
  BOOST_TEST(sums.standard_deviation()[2] == 0.1, boost::test_tools::tolerance(1e-12));
}

// By hand, with 0.299, 0.587 and 0.114: (0, 51, 0) is 29.937 and (255, 51, 51) 111.996, so 30 and
// 112: the mean is 71 of 255, the deviation 41.
BOOST_AUTO_TEST_CASE(gray_is_the_luma_of_each_pixel) {
  PixelSums sums;
  sums.add(view_of({0, 51, 0, 255, 51, 51}, 2, 1, 3, 3));
  BOOST_TEST(sums.gray_mean() == 71.0 / 255, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(sums.gray_standard_deviation() == 41.0 / 255, boost::test_tools::tolerance(1e-12));
  PixelSums twice = sums;
  twice.add(sums);
  BOOST_TEST(twice.gray_mean() == sums.gray_mean());
  BOOST_TEST(twice.gray_standard_deviation() == sums.gray_standard_deviation(),
             boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(padding_bytes_do_not_count) {
  PixelSums packed;
  packed.add(view_of({1, 2, 3, 4, 5, 6}, 1, 2, 3, 3));
  PixelSums padded;
  padded.add(view_of({1, 2, 3, 99, 4, 5, 6, 99}, 1, 2, 3, 4));
  BOOST_CHECK(packed == padded);
}

// The first is summed as one long row, the second row by row, the third pixel by pixel.
BOOST_AUTO_TEST_CASE(gaps_between_rows_and_pixels_change_nothing) {
  constexpr std::uint32_t kWidth = 331;
  constexpr std::uint32_t kHeight = 260;  // together above one run of 65,535 px
  std::vector<std::uint8_t> packed;
  std::vector<std::uint8_t> rows;
  std::vector<std::uint8_t> wide;
  for (std::uint32_t y = 0; y < kHeight; ++y) {
    for (std::uint32_t x = 0; x < kWidth; ++x) {
      for (std::uint32_t c = 0; c < 3; ++c) {
        const auto value = static_cast<std::uint8_t>(x * 7 + y * 13 + c * 101 + x * y);
        packed.push_back(value);
        rows.push_back(value);
        wide.push_back(value);
      }
      wide.push_back(99);
    }
    rows.push_back(99);
  }
  ImageView view = view_of(packed, kWidth, kHeight, 3, 3);
  PixelSums of_packed;
  of_packed.add(view);
  view.pixels_hwc = rows.data();
  view.row_stride_bytes += 1;
  PixelSums of_rows;
  of_rows.add(view);
  PixelSums of_wide;
  of_wide.add(view_of(wide, kWidth, kHeight, 3, 4));
  BOOST_CHECK(of_packed == of_rows);
  BOOST_CHECK(of_packed == of_wide);
}

BOOST_AUTO_TEST_CASE(gray_counts_as_three_equal_channels) {
  PixelSums gray;
  gray.add(view_of({7, 9}, 2, 1, 1, 1));
  PixelSums colour;
  colour.add(view_of({7, 7, 7, 9, 9, 9}, 2, 1, 3, 3));
  BOOST_CHECK(gray == colour);
}

BOOST_AUTO_TEST_CASE(the_widest_white_row_does_not_overflow) {
  const std::uint32_t width_px = 200000;
  const std::vector<std::uint8_t> white(width_px, 255);
  PixelSums sums;
  sums.add(view_of(white, width_px, 1, 1, 1));
  BOOST_TEST(sums.sum[2] == 200000ull * 255);
  BOOST_TEST(sums.sum_of_squares[0] == 200000ull * 65025);
  BOOST_TEST(sums.mean()[1] == 1.0);
  BOOST_TEST(sums.standard_deviation()[1] == 0.0);
  BOOST_TEST(sums.gray_mean() == 1.0);
  BOOST_TEST(sums.gray_standard_deviation() == 0.0);
}

BOOST_AUTO_TEST_CASE(no_pixels_give_zeros) {
  BOOST_TEST(PixelSums{}.mean()[0] == 0.0);
  BOOST_TEST(PixelSums{}.standard_deviation()[0] == 0.0);
  BOOST_TEST(PixelSums{}.gray_mean() == 0.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
