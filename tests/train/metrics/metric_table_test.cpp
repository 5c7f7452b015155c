#include "train/metrics/metric_table.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "streamer/core/error.h"
#include "tests/train/metrics/metric_goldens.h"

namespace penstock::train {
namespace {

/// A table has what metric_names() says, in its order.
void check_names(const MetricTable& table, const MetricSelection& selection) {
  const auto expected = metric_names(selection, MetricSplit::kValidation);
  BOOST_TEST_REQUIRE(table.values().size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_TEST(table.values()[i].metric.name == expected[i].name);
    BOOST_TEST((table.values()[i].metric.direction == expected[i].direction));
  }
}

MetricTable with_loss() {
  MetricTable table;
  table.add(MetricSplit::kValidation, "loss", 0.5);
  return table;
}

BOOST_AUTO_TEST_SUITE(metric_table)

BOOST_AUTO_TEST_CASE(figures_of_one_class_are_filed_under_their_names) {
  const tests::GoldenCase golden = metric_goldens("one_class_plain").front();
  const ScoredSamples samples(golden);
  ClassificationMetrics metrics({.num_classes = 5, .top_k = 3});
  metrics.add(samples.classes(0, samples.size()));
  MetricTable table = with_loss();
  add_metrics(table, MetricSplit::kValidation, metrics);
  check_names(table, {.num_outputs = 5, .top_k = 3});
  const auto check = [&](const char* name, double expected) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(table.at(name).value == expected, boost::test_tools::tolerance(1e-12));
    }
  };
  check("val_loss", 0.5);
  check("val_accuracy", golden.number("accuracy"));
  check("val_top3_accuracy", golden.number("top_k_accuracy"));
  check("val_macro_precision", golden.numbers("macro")[0]);
  check("val_macro_recall", golden.numbers("macro")[1]);
  check("val_macro_f1", golden.numbers("macro")[2]);
  check("val_weighted_precision", golden.numbers("weighted")[0]);
  check("val_weighted_recall", golden.numbers("weighted")[1]);
  check("val_weighted_f1", golden.numbers("weighted")[2]);
  check("val_nll", golden.number("nll"));
  check("val_calibration_error", golden.number("calibration_error"));
}

BOOST_AUTO_TEST_CASE(figures_of_several_labels_are_filed_under_their_names) {
  const tests::GoldenCase golden = metric_goldens("several_labels_plain").front();
  const ScoredSamples samples(golden);
  LabelCounts counts({.num_labels = 4});
  LabelRanking ranking({.num_labels = 4, .max_samples = 50, .limit_bytes = 1u << 20});
  counts.add(samples.with_targets(0, samples.size()));
  ranking.add(samples.with_targets(0, samples.size()));
  MetricTable table = with_loss();
  add_metrics(table, MetricSplit::kValidation, counts);
  check_names(table, {.task = MetricTask::kSeveralLabels, .has_ranking = false});
  add_metrics(table, MetricSplit::kValidation, ranking.report());
  check_names(table, {.task = MetricTask::kSeveralLabels});
  const auto check = [&](const char* name, double expected) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(table.at(name).value == expected, boost::test_tools::tolerance(1e-12));
    }
  };
  check("val_exact_match", golden.number("exact_match"));
  check("val_micro_f1", golden.numbers("micro")[2]);
  check("val_macro_precision", golden.numbers("macro")[0]);
  check("val_macro_recall", golden.numbers("macro")[1]);
  check("val_macro_f1", golden.numbers("macro")[2]);
  check("val_mean_average_precision", golden.number("mean_average_precision"));
  check("val_roc_auc", golden.number("macro_roc_auc"));
}

BOOST_AUTO_TEST_CASE(figures_of_regression_are_filed_under_their_names) {
  const tests::GoldenCase golden = metric_goldens("regression_plain").front();
  const ScoredSamples samples(golden);
  RegressionMetrics metrics(2);
  metrics.add(samples.with_targets(0, samples.size()));
  MetricTable table = with_loss();
  add_metrics(table, MetricSplit::kValidation, metrics);
  check_names(table, {.task = MetricTask::kRegression});
  for (const char* name : {"mae", "mse", "rmse", "r2"}) {
    BOOST_TEST(
        table.at(std::string("val_") + name).value == golden.number(std::string("mean_") + name),
        boost::test_tools::tolerance(1e-12));
  }
}

BOOST_AUTO_TEST_CASE(figures_that_do_not_exist_are_no_number) {
  MetricTable table;
  add_metrics(table, MetricSplit::kTest, RankingReport{});
  BOOST_TEST(std::isnan(table.at("test_roc_auc").value));
}

BOOST_AUTO_TEST_CASE(a_name_is_there_once_and_an_unknown_one_is_refused) {
  MetricTable table = with_loss();
  BOOST_CHECK_THROW(table.add(MetricSplit::kValidation, "loss", 1), Error);
  BOOST_CHECK_THROW(table.add(MetricSplit::kValidation, "lose", 1), Error);
  BOOST_CHECK_EXCEPTION(table.at("val_los"), Error, [](const Error& error) {
    return error.hint() == "did you mean 'val_loss'?";
  });
  table.add(MetricSplit::kTrain, "loss", 2);
  BOOST_TEST(table.at("loss").value == 2.0);
  BOOST_TEST(table.at("val_loss").value == 0.5);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
