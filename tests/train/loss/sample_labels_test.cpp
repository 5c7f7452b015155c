#include "train/loss/sample_labels.h"

#include <boost/test/unit_test.hpp>
#include <limits>
#include <vector>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

std::string refusal(const SampleLabels& labels) {
  try {
    labels.validate_for({.batch = 2, .outputs = 3});
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

BOOST_AUTO_TEST_SUITE(sample_labels)

BOOST_AUTO_TEST_CASE(labels_that_do_not_fit_the_scores_are_refused) {
  const std::vector<std::uint32_t> good = {2, kUnlabelled}, high = {0, 3}, one = {0};
  const std::vector<float> targets(6, 0.5f), short_targets(5, 0.5f);
  const std::vector<float> weights = {1, 0}, negative = {1, -1},
                           infinite = {std::numeric_limits<float>::infinity(), 1};
  BOOST_TEST(refusal({.class_idx = good, .targets = targets, .weights = weights}) == "accepted");
  BOOST_TEST(refusal({.targets = targets}) == "accepted");
  BOOST_TEST(refusal({}) == "labels: class_idx: expected 2 values, or targets, found neither");
  BOOST_TEST(refusal({.class_idx = one}) == "labels: class_idx: expected 2 values, found 1");
  BOOST_TEST(refusal({.class_idx = high}) ==
             "labels: class_idx: expected a class below 3, found 3");
  BOOST_TEST(refusal({.targets = short_targets}) == "labels: targets: expected 6 values, found 5");
  BOOST_TEST(refusal({.class_idx = good, .weights = negative}) ==
             "labels: weights: expected finite numbers, 0 or more, found -1");
  BOOST_TEST(refusal({.class_idx = good, .weights = infinite}) ==
             "labels: weights: expected finite numbers, 0 or more, found inf");
}

BOOST_AUTO_TEST_CASE(an_empty_batch_has_nothing_to_refuse) {
  BOOST_CHECK_NO_THROW(SampleLabels{}.validate_for({.batch = 0, .outputs = 3}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
