#include "train/metrics/label_counts.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "streamer/core/error.h"
#include "tests/train/metrics/metric_goldens.h"

namespace penstock::train {
namespace {

void check_shares(const PrecisionRecall& found, const std::vector<double>& expected) {
  BOOST_TEST(found.precision == expected.at(0), boost::test_tools::tolerance(1e-14));
  BOOST_TEST(found.recall == expected.at(1), boost::test_tools::tolerance(1e-14));
  BOOST_TEST(found.f1 == expected.at(2), boost::test_tools::tolerance(1e-14));
}

std::string refusal(std::vector<float> scores, std::vector<float> targets) {
  LabelCounts counts({.num_labels = 2});
  const std::vector<std::uint64_t> ids = {5};
  try {
    counts.add({scores, targets, {}, ids});
  } catch (const Error& error) {
    BOOST_TEST(counts.num_samples() == 0u);
    return error.what();
  }
  return "accepted";
}

BOOST_AUTO_TEST_SUITE(label_counts)

// Thresholds of the goldens: 0 for all, and one for each label.
BOOST_AUTO_TEST_CASE(decisions_at_thresholds_are_scored_as_scikit_learn_scores_them) {
  for (const tests::GoldenCase& golden : metric_goldens("several_labels")) {
    const ScoredSamples samples(golden);
    for (const std::size_t batch : {1000, 3}) {
      LabelCounts counts({.num_labels = samples.num_outputs,
                          .score_thresholds = golden.values_or_none<float>("thresholds")});
      for_batches(samples.size(), batch, [&](std::size_t first, std::size_t num) {
        counts.add(samples.with_targets(first, num));
      });
      BOOST_TEST_CONTEXT(golden.name() << " by " << batch) {
        check_shares(counts.report().micro, golden.numbers("micro"));
        check_shares(counts.report().macro, golden.numbers("macro"));
        BOOST_TEST(counts.exact_match() == golden.number("exact_match"));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_label_is_predicted_at_its_threshold_and_above) {
  const std::vector<float> scores = {0.0f, std::nextafter(0.0f, -1.0f)}, targets = {1, 1};
  const std::vector<std::uint64_t> ids = {1};
  LabelCounts counts({.num_labels = 2});
  counts.add({scores, targets, {}, ids});
  BOOST_TEST(counts.labels()[0].num_predicted == 1u);
  BOOST_TEST(counts.labels()[1].num_predicted == 0u);
}

BOOST_AUTO_TEST_CASE(merged_counts_are_sums_and_weights_of_0_are_left_out) {
  const tests::GoldenCase golden = metric_goldens("several_labels_plain").front();
  ScoredSamples samples(golden);
  const std::size_t num = samples.size();
  samples.weights.assign(num, 1.0f);
  LabelCounts left({.num_labels = 4}), right({.num_labels = 4}), none({.num_labels = 4});
  left.add(samples.with_targets(0, 20));
  right.add(samples.with_targets(20, num - 20));
  left.merge(right);
  check_shares(left.report().micro, golden.numbers("micro"));
  BOOST_TEST(left.exact_match() == golden.number("exact_match"));
  BOOST_CHECK_THROW(left.merge(LabelCounts({.num_labels = 3})), Error);
  samples.weights.assign(num, 0.0f);
  none.add(samples.with_targets(0, num));
  BOOST_TEST(none.num_samples() == 0u);
  BOOST_TEST(std::isnan(none.exact_match()));
}

// ln(0.75 / 0.25) is ln 3.
BOOST_AUTO_TEST_CASE(a_threshold_in_probability_is_one_in_scores) {
  BOOST_TEST(score_at_probability(0.5) == 0.0f);
  BOOST_TEST(score_at_probability(0.75) == 1.0986123f, boost::test_tools::tolerance(1e-6f));
  BOOST_TEST(score_at_probability(1e-9) == -20.723266f, boost::test_tools::tolerance(1e-6f));
  BOOST_CHECK_EXCEPTION(score_at_probability(1.0), Error, [](const Error& error) {
    return std::string(error.what()) == "metrics: threshold: expected above 0 and below 1, found 1";
  });
}

BOOST_AUTO_TEST_CASE(what_cannot_be_measured_is_refused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  BOOST_TEST(refusal({1, nan}, {0, 1}) ==
             "metrics: sample 5: score: expected a finite number, found nan");
  BOOST_TEST(refusal({1, 2}, {nan, 1}) ==
             "metrics: sample 5: target: expected a finite number, found nan");
  BOOST_TEST(refusal({1, 2}, {0, 0.5f}) == "metrics: sample 5: target: expected 0 or 1, found 0.5");
  BOOST_TEST(refusal({1, 2}, {0}) == "metrics: targets: expected 2 values, found 1");
  BOOST_CHECK_EXCEPTION(LabelCounts({.num_labels = 3, .score_thresholds = {0, 1}}), Error,
                        [](const Error& error) {
                          return std::string(error.what()) ==
                                 "metrics: score_thresholds: expected one value or 3, one for each "
                                 "label, found 2";
                        });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
