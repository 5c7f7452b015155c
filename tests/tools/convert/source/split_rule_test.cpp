#include "tools/convert/source/split_rule.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>
#include <string>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

std::string path_of(int i) {
  return "cat/" + std::to_string(i) + ".jpg";
}

std::array<int, kNumSplits> count_splits(const SplitRule& rule, int num_paths) {
  std::array<int, kNumSplits> counts{};
  for (int i = 0; i < num_paths; ++i) ++counts[static_cast<std::size_t>(rule.split_of(path_of(i)))];
  return counts;
}

BOOST_AUTO_TEST_SUITE(split_rule)

BOOST_AUTO_TEST_CASE(fractions_hold_within_five_standard_deviations) {
  constexpr int kNumPaths = 20000;
  const auto counts =
      count_splits({.validation_fraction = 0.1, .test_fraction = 0.3, .seed = 1}, kNumPaths);
  const auto is_near = [](int count, double fraction) {
    const double sigma = std::sqrt(kNumPaths * fraction * (1 - fraction));
    return std::abs(count - kNumPaths * fraction) < 5 * sigma;
  };
  BOOST_TEST(is_near(counts[1], 0.1));
  BOOST_TEST(is_near(counts[2], 0.3));
  BOOST_TEST(is_near(counts[0], 0.6));
}

BOOST_AUTO_TEST_CASE(a_file_keeps_its_split_when_the_test_fraction_grows) {
  const SplitRule small{.validation_fraction = 0.2, .test_fraction = 0.1, .seed = 3};
  const SplitRule large{.validation_fraction = 0.2, .test_fraction = 0.4, .seed = 3};
  for (int i = 0; i < 1000; ++i) {
    if (small.split_of(path_of(i)) == SplitKind::kTrain) continue;
    BOOST_REQUIRE(small.split_of(path_of(i)) == large.split_of(path_of(i)));
  }
}

BOOST_AUTO_TEST_CASE(another_seed_draws_other_files) {
  const SplitRule a{.validation_fraction = 0.5, .seed = 0};
  const SplitRule b{.validation_fraction = 0.5, .seed = 1};
  int num_differences = 0;
  for (int i = 0; i < 1000; ++i) {
    num_differences += a.split_of(path_of(i)) != b.split_of(path_of(i)) ? 1 : 0;
  }
  BOOST_TEST(num_differences > 400);  // 500 expected, standard deviation 16
  BOOST_TEST(num_differences < 600);
}

BOOST_AUTO_TEST_CASE(the_order_is_independent_of_the_split) {
  // Were it the same hash, validation files would all come first.
  const SplitRule rule{.validation_fraction = 0.5, .seed = 0};
  int num_low = 0;
  for (int i = 0; i < 1000; ++i) {
    const bool is_low = rule.order_key(path_of(i)) < (std::uint64_t{1} << 63);
    num_low += rule.split_of(path_of(i)) == SplitKind::kValidation && is_low ? 1 : 0;
  }
  BOOST_TEST(num_low > 180);  // 250 expected, standard deviation 14
  BOOST_TEST(num_low < 320);
}

BOOST_AUTO_TEST_CASE(zero_fractions_leave_everything_to_training) {
  const auto counts = count_splits({.validation_fraction = 0, .test_fraction = 0}, 1000);
  BOOST_TEST(counts[0] == 1000);
}

BOOST_AUTO_TEST_CASE(fractions_that_leave_no_training_are_refused) {
  BOOST_CHECK_THROW((SplitRule{.validation_fraction = 0.6, .test_fraction = 0.4}.validate()),
                    Error);
  BOOST_CHECK_THROW((SplitRule{.validation_fraction = -0.1}.validate()), Error);
  BOOST_CHECK_NO_THROW((SplitRule{.validation_fraction = 0.6, .test_fraction = 0.3}.validate()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
