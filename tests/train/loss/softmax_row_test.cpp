#include "train/loss/softmax_row.h"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "train/loss/sigmoid.h"

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(softmax_row_test)

// exp(k) / (1 + e + e^2) for k = 0, 1, 2.
BOOST_AUTO_TEST_CASE(probabilities_are_those_of_the_definition) {
  const std::vector<float> scores = {0, 1, 2};
  const auto row = softmax_row<double>(std::span<const float>(scores));
  BOOST_TEST(row.probability(0.0) == 0.09003057317038046, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(row.probability(1.0) == 0.24472847105479764, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(row.log_probability(2.0) == -0.4076059644443803, boost::test_tools::tolerance(1e-14));
}

// The differences of the scores decide alone: 10000 - 9999.5 loses nothing in float.
BOOST_AUTO_TEST_CASE(far_scores_keep_the_digits_of_their_differences) {
  const std::vector<float> near = {0.0f, -0.5f}, far = {10000.0f, 9999.5f};
  BOOST_TEST(softmax_row<float>(std::span<const float>(near)).log_probability(-0.5f) ==
             softmax_row<float>(std::span<const float>(far)).log_probability(9999.5f));
}

BOOST_AUTO_TEST_CASE(one_class_has_all_the_probability) {
  const std::vector<double> scores = {-1e4};
  BOOST_TEST(softmax_row<double>(std::span<const double>(scores)).probability(-1e4) == 1.0);
}

// 1 / (1 + e^-2), and exp(-40) - exp(-80) / 2.
BOOST_AUTO_TEST_CASE(a_sigmoid_and_its_complement_keep_their_digits) {
  BOOST_TEST(sigmoid(2.0) == 0.8807970779778823, boost::test_tools::tolerance(1e-15));
  BOOST_TEST(sigmoid(-40.0) == 4.248354255291589e-18, boost::test_tools::tolerance(1e-13));
  BOOST_TEST(softplus(-40.0) == 4.248354255291589e-18, boost::test_tools::tolerance(1e-13));
  BOOST_TEST(softplus(1e4) == 1e4);
  BOOST_TEST(sigmoid(-1e4f) == 0.0f);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
