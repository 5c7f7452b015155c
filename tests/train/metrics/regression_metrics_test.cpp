#include "train/metrics/regression_metrics.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "streamer/core/error.h"
#include "tests/train/metrics/metric_goldens.h"

namespace penstock::train {
namespace {

RegressionMetrics measured(const ScoredSamples& samples, std::size_t batch) {
  RegressionMetrics metrics(samples.num_outputs);
  for_batches(samples.size(), batch, [&](std::size_t first, std::size_t num) {
    metrics.add(samples.with_targets(first, num));
  });
  return metrics;
}

void check_figures(const RegressionMetrics& metrics, const tests::GoldenCase& golden) {
  const auto check = [&](const char* name, double RegressionFigures::*figure) {
    const std::vector<double> expected = golden.numbers(name);
    for (std::size_t k = 0; k < expected.size(); ++k) {
      BOOST_TEST((metrics.output(k).*figure) == expected[k], boost::test_tools::tolerance(1e-12));
    }
    BOOST_TEST((metrics.mean().*figure) == golden.number(std::string("mean_") + name),
               boost::test_tools::tolerance(1e-12));
  };
  check("mae", &RegressionFigures::mae);
  check("mse", &RegressionFigures::mse);
  check("rmse", &RegressionFigures::rmse);
  check("r2", &RegressionFigures::r2);
}

BOOST_AUTO_TEST_SUITE(regression_metrics)

// The goldens hold weights, targets far from 0, and targets that are all the same.
BOOST_AUTO_TEST_CASE(figures_are_those_of_scikit_learn) {
  BOOST_TEST(metric_goldens("regression").size() == 4u);
  for (const tests::GoldenCase& golden : metric_goldens("regression")) {
    BOOST_TEST_CONTEXT(golden.name()) {
      check_figures(measured(ScoredSamples(golden), 1000), golden);
    }
  }
}

BOOST_AUTO_TEST_CASE(figures_do_not_depend_on_how_batches_were_cut_to_the_last_bit) {
  const ScoredSamples samples(metric_goldens("regression_weights").front());
  const RegressionFigures whole = measured(samples, 1000).mean();
  for (const std::size_t batch : {1, 4}) {
    const RegressionFigures cut = measured(samples, batch).mean();
    BOOST_TEST(cut.mae == whole.mae);
    BOOST_TEST(cut.mse == whole.mse);
    BOOST_TEST(cut.r2 == whole.r2);
  }
}

BOOST_AUTO_TEST_CASE(parts_that_are_merged_give_the_whole_to_rounding) {
  for (const tests::GoldenCase& golden : metric_goldens("regression")) {
    const ScoredSamples samples(golden);
    RegressionMetrics merged(samples.num_outputs), empty(samples.num_outputs);
    for_batches(samples.size(), 11, [&](std::size_t first, std::size_t num) {
      RegressionMetrics part(samples.num_outputs);
      part.add(samples.with_targets(first, num));
      merged.merge(part);
    });
    merged.merge(empty);
    BOOST_TEST_CONTEXT(golden.name()) {
      check_figures(merged, golden);
    }
  }
  BOOST_CHECK_THROW(RegressionMetrics(2).merge(RegressionMetrics(1)), Error);
}

BOOST_AUTO_TEST_CASE(no_sample_has_no_figures_and_a_single_one_no_r2) {
  RegressionMetrics metrics(1);
  BOOST_TEST(std::isnan(metrics.mean().mae));
  const std::vector<float> scores = {3, 9}, targets = {1, 9}, weights = {0.5f, 0};
  const std::vector<std::uint64_t> ids = {1, 2};
  metrics.add({scores, targets, weights, ids});
  BOOST_TEST(metrics.num_samples() == 1u);
  BOOST_TEST(metrics.mean().mae == 2.0);
  BOOST_TEST(metrics.mean().mse == 4.0);
  BOOST_TEST(std::isnan(metrics.mean().r2));
}

BOOST_AUTO_TEST_CASE(a_score_that_is_no_number_is_refused_with_its_sample) {
  RegressionMetrics metrics(1);
  const std::vector<float> scores = {1, std::numeric_limits<float>::quiet_NaN()}, targets = {1, 1};
  const std::vector<std::uint64_t> ids = {3, 4};
  BOOST_CHECK_EXCEPTION(metrics.add({scores, targets, {}, ids}), Error, [](const Error& error) {
    return std::string(error.what()) ==
           "metrics: sample 4: score: expected a finite number, found nan";
  });
  BOOST_TEST(metrics.num_samples() == 0u);
  BOOST_CHECK_THROW(RegressionMetrics(0), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
