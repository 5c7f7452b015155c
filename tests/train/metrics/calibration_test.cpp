#include "train/metrics/calibration.h"

#include <boost/test/unit_test.hpp>
#include <cmath>

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(calibration)

// Guo et al. 2017: bins are open below and closed above. 0.2 is 3 / 15, 1 the end of the last.
BOOST_AUTO_TEST_CASE(a_probability_on_a_border_lies_in_the_lower_bin) {
  Calibration calibration;
  calibration.add({0.2, true});
  calibration.add({std::nextafter(0.2, 1.0), true});
  calibration.add({1.0, false});
  calibration.add({0.0, false});
  BOOST_TEST(calibration.bins()[2].num_samples == 1u);
  BOOST_TEST(calibration.bins()[3].num_samples == 1u);
  BOOST_TEST(calibration.bins()[14].num_samples == 1u);
  BOOST_TEST(calibration.bins()[14].num_correct == 0u);
  BOOST_TEST(calibration.bins()[0].num_samples == 1u);
}

// By hand: bin 9 has probabilities 0.65 and 0.66, half right: 2 * |0.5 - 0.655|; bin 13 has 0.9, right.
BOOST_AUTO_TEST_CASE(the_error_is_the_distance_of_accuracy_and_probability_by_bin) {
  Calibration calibration;
  calibration.add({0.65, true});
  calibration.add({0.66, false});
  calibration.add({0.9, true});
  BOOST_TEST(calibration.expected_error() == (0.31 + 0.1) / 3, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(merged_bins_are_sums) {
  Calibration left, right;
  left.add({0.65, true});
  right.add({0.66, false});
  right.add({0.9, true});
  left.merge(right);
  BOOST_TEST(left.expected_error() == (0.31 + 0.1) / 3, boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
