#include "train/loss/class_balance.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "streamer/core/error.h"
#include "tests/golden_file.h"

namespace penstock::train {
namespace {

using Counts = std::vector<std::uint64_t>;

BOOST_AUTO_TEST_SUITE(class_balance)

BOOST_AUTO_TEST_CASE(balanced_weights_are_those_of_scikit_learn) {
  for (const tests::GoldenCase& golden :
       tests::read_goldens(PENSTOCK_METRICS_GOLDENS, "balanced")) {
    const auto counts = golden.values_or_none<std::uint64_t>("counts");
    const auto expected = golden.values_or_none<float>("weights");
    BOOST_TEST(balanced_class_weights(counts) == expected, boost::test_tools::per_element());
  }
}

// By hand: 8 samples of 2 classes.
BOOST_AUTO_TEST_CASE(a_class_without_samples_gets_0_and_does_not_make_the_others_lighter) {
  BOOST_TEST(
      balanced_class_weights(Counts{6, 0, 2}) == (std::vector<float>{8.0f / 12.0f, 0.0f, 2.0f}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_sample_at_all_is_refused) {
  BOOST_CHECK_EXCEPTION(balanced_class_weights(Counts{0, 0}), Error, [](const Error& error) {
    return std::string(error.what()) ==
           "class_weights: balanced: expected samples with labels, found none";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
