#include "augment/warp/filter_window.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace penstock::augment {
namespace {

Axis axis_of(std::uint32_t num_px, FillMode fill_mode = FillMode::kNearest) {
  return {.last = num_px - 1.0,
          .extent = static_cast<double>(num_px),
          .length = num_px,
          .fill_mode = fill_mode};
}

std::vector<double> column_weights(const FilterWindow& window) {
  std::vector<double> weights;
  for (std::uint32_t i = 0; i < window.count; ++i) {
    weights.push_back(double{window.column_weight(i)} * FilterWindow::kOne);
  }
  return weights;
}

std::vector<std::int32_t> row_weights(const FilterWindow& window) {
  RowWeights next(window);
  std::vector<std::int32_t> weights;
  for (std::uint32_t i = 0; i < window.count; ++i) weights.push_back(next.next());
  return weights;
}

BOOST_AUTO_TEST_SUITE(filter_window)

// By hand: a triangle two pixels to either side of 10.5 has heights 1/4, 3/4, 3/4, 1/4, whose sum is 2.
BOOST_AUTO_TEST_CASE(halving_takes_four_pixels) {
  const FilterAxis axis(axis_of(40), Interpolation::kBilinearAntialias, -2);
  const FilterWindow window = find_window(10.5, axis);
  BOOST_TEST(window.first == 9u);
  BOOST_TEST(window.is_inside);
  const std::vector<double> expected = {0.125, 0.375, 0.375, 0.125};
  BOOST_TEST(column_weights(window) == expected, boost::test_tools::per_element());
  const std::vector<std::int32_t> whole = {2048, 6144, 6144, 2048};
  BOOST_TEST(row_weights(window) == whole, boost::test_tools::per_element());
}

// By hand: at the first pixel's centre heights are (1/2), 1, 1/2, of which the first lies beside the
// picture: 2/3 and 1/3 remain.
BOOST_AUTO_TEST_CASE(what_lies_beside_the_picture_does_not_count) {
  const FilterAxis axis(axis_of(40), Interpolation::kBilinearAntialias, 2);
  const FilterWindow window = find_window(0, axis);
  BOOST_TEST(window.first == 0u);
  BOOST_TEST(window.count == 2u);
  BOOST_TEST(column_weights(window)[0] == 2.0 / 3, boost::test_tools::tolerance(1e-7));
}

// Keys 1981: halfway between two samples -1/16, 9/16, 9/16, -1/16.
BOOST_AUTO_TEST_CASE(the_cubic_takes_four_pixels_whatever_the_step) {
  const FilterAxis axis(axis_of(40), Interpolation::kBicubic, 7);
  const FilterWindow window = find_window(10.5, axis);
  BOOST_TEST(window.first == 9u);
  const std::vector<double> expected = {-0.0625, 0.5625, 0.5625, -0.0625};
  BOOST_TEST(column_weights(window) == expected, boost::test_tools::per_element());
  const std::vector<std::int32_t> whole = {-1024, 9216, 9216, -1024};
  BOOST_TEST(row_weights(window) == whole, boost::test_tools::per_element());
  BOOST_TEST(find_window(12, axis).count == 3u);  // the fourth has no weight
}

BOOST_AUTO_TEST_CASE(weights_of_rows_add_up_to_one_and_stay_close) {
  constexpr std::uint64_t kSeed = 4;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  const auto real = [&](double lo, double hi) {
    return std::uniform_real_distribution<double>(lo, hi)(random);
  };
  for (int trial = 0; trial < 3000; ++trial) {
    const auto num_px = static_cast<std::uint32_t>(1 + random() % 300);
    const FilterAxis axis(
        axis_of(num_px, static_cast<FillMode>(random() % 4)),
        random() % 2 == 0 ? Interpolation::kBilinearAntialias : Interpolation::kBicubic,
        real(0, 60));
    const FilterWindow window = find_window(real(-400, 700), axis);
    BOOST_REQUIRE(window.first + window.count <= num_px);
    const std::vector<double> columns = column_weights(window);
    const std::vector<std::int32_t> rows = row_weights(window);
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      sum += rows[i];
      BOOST_REQUIRE(std::abs(rows[i] - columns[i] * window.row_one()) < 1.01);
    }
    BOOST_REQUIRE(sum == window.row_one());
  }
}

// By hand: the triangle of 16 pixels has the sum 8, so its weights may be 8 times as fine; that of 6 has
// as many taps as always take the coarse ones.
BOOST_AUTO_TEST_CASE(long_windows_have_finer_weights) {
  const auto window_of = [](double step_px) {
    const FilterAxis axis(axis_of(4000), Interpolation::kBilinearAntialias, step_px);
    return find_window(1000.5, axis);
  };
  BOOST_TEST(window_of(3).count == 6u);
  BOOST_TEST(window_of(3).row_one() == FilterWindow::kOne);
  BOOST_TEST(window_of(8).count == 16u);
  BOOST_TEST(window_of(8).row_one() == 8 * FilterWindow::kOne);
  BOOST_TEST(window_of(8).row_scale() == 0.125f);
  BOOST_TEST(window_of(1500).row_one() == 512 * FilterWindow::kOne);
}

// The vectors take weights of 16 bits and sums of 32, also of pictures and parts that are shorter than
// the kernel.
BOOST_AUTO_TEST_CASE(finer_weights_and_their_sums_stay_within_their_bits) {
  constexpr std::uint64_t kSeed = 44;
  BOOST_TEST_MESSAGE("seed " << kSeed);
  std::mt19937_64 random(kSeed);
  const auto real = [&](double lo, double hi) {
    return std::uniform_real_distribution<double>(lo, hi)(random);
  };
  for (int trial = 0; trial < 2000; ++trial) {
    const auto num_px = static_cast<std::uint32_t>(1 + random() % (trial % 20 == 0 ? 65500 : 700));
    Axis source = axis_of(num_px);
    source.begin = static_cast<std::uint32_t>(random() % num_px);
    source.length = static_cast<std::uint32_t>(1 + random() % (num_px - source.begin));
    const FilterAxis axis(source, Interpolation::kBilinearAntialias,
                          std::pow(2.0, real(0, trial % 20 == 0 ? 17 : 11)));
    const FilterWindow window = find_window(real(-10, num_px + 10.0), axis);
    for (const std::int32_t weight : row_weights(window)) {
      BOOST_REQUIRE(weight >= 0);
      BOOST_REQUIRE(weight <= std::numeric_limits<std::int16_t>::max());
    }
    BOOST_REQUIRE(std::int64_t{255} * window.row_one() <= std::numeric_limits<std::int32_t>::max());
  }
}

BOOST_AUTO_TEST_CASE(positions_without_sense_have_a_pixel_each) {
  for (const double position :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity(), 1e300, -1e300}) {
    for (const FillMode mode :
         {FillMode::kNearest, FillMode::kConstant, FillMode::kReflect, FillMode::kWrap}) {
      const FilterAxis axis(axis_of(9, mode), Interpolation::kBilinearAntialias, position);
      const FilterWindow window = find_window(position, axis);
      BOOST_TEST(window.first + window.count <= 9u);
      BOOST_TEST(row_weights(window).back() != 0);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
