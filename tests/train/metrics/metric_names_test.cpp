#include "train/metrics/metric_names.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

std::vector<std::string> names_of(const MetricSelection& selection, MetricSplit split) {
  std::vector<std::string> names;
  for (const MetricName& one : metric_names(selection, split)) names.push_back(one.name);
  return names;
}

using Texts = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(metric_names_test)

BOOST_AUTO_TEST_CASE(every_task_has_its_names_in_a_fixed_order) {
  const auto per_element = boost::test_tools::per_element();
  BOOST_TEST(
      names_of({.num_outputs = 10}, MetricSplit::kValidation) ==
          (Texts{"val_loss", "val_accuracy", "val_top5_accuracy", "val_macro_precision",
                 "val_macro_recall", "val_macro_f1", "val_weighted_precision",
                 "val_weighted_recall", "val_weighted_f1", "val_nll", "val_calibration_error"}),
      per_element);
  BOOST_TEST(
      names_of({.task = MetricTask::kSeveralLabels, .num_outputs = 10}, MetricSplit::kTest) ==
          (Texts{"test_loss", "test_exact_match", "test_micro_f1", "test_macro_precision",
                 "test_macro_recall", "test_macro_f1", "test_mean_average_precision",
                 "test_roc_auc"}),
      per_element);
  BOOST_TEST(
      names_of({.task = MetricTask::kRegression, .num_outputs = 1}, MetricSplit::kValidation) ==
          (Texts{"val_loss", "val_mae", "val_mse", "val_rmse", "val_r2"}),
      per_element);
}

BOOST_AUTO_TEST_CASE(training_has_the_loss_and_the_count_that_its_steps_give) {
  const auto per_element = boost::test_tools::per_element();
  BOOST_TEST(names_of({.num_outputs = 10}, MetricSplit::kTrain) == (Texts{"loss", "accuracy"}),
             per_element);
  BOOST_TEST(names_of({.task = MetricTask::kSeveralLabels}, MetricSplit::kTrain) ==
                 (Texts{"loss", "exact_match"}),
             per_element);
  BOOST_TEST(names_of({.task = MetricTask::kRegression}, MetricSplit::kTrain) == Texts{"loss"},
             per_element);
}

BOOST_AUTO_TEST_CASE(names_that_would_say_nothing_or_do_not_fit_are_left_out) {
  const auto has = [](const MetricSelection& selection, const char* name) {
    const Texts names = names_of(selection, MetricSplit::kValidation);
    return std::count(names.begin(), names.end(), name) > 0;
  };
  BOOST_TEST(!has({.num_outputs = 5}, "val_top5_accuracy"));
  BOOST_TEST(has({.num_outputs = 5, .top_k = 3}, "val_top3_accuracy"));
  BOOST_TEST(!has({.task = MetricTask::kSeveralLabels, .has_ranking = false}, "val_roc_auc"));
}

BOOST_AUTO_TEST_CASE(losses_and_errors_are_better_lower_and_the_rest_higher) {
  for (const char* lower : {"loss", "nll", "calibration_error", "mae", "mse", "rmse"}) {
    BOOST_TEST((metric_direction(lower) == MetricDirection::kLowerIsBetter), lower);
  }
  for (const char* higher :
       {"accuracy", "top5_accuracy", "top12_accuracy", "macro_precision", "macro_recall",
        "macro_f1", "micro_f1", "weighted_precision", "weighted_recall", "weighted_f1",
        "exact_match", "mean_average_precision", "roc_auc", "r2"}) {
    BOOST_TEST((metric_direction(higher) == MetricDirection::kHigherIsBetter), higher);
  }
  BOOST_CHECK_THROW(metric_direction("val_loss"), Error);
}

BOOST_AUTO_TEST_CASE(a_monitor_is_found_with_its_direction_and_a_mistyped_one_with_the_nearest) {
  const auto names = metric_names({.num_outputs = 10}, MetricSplit::kValidation);
  BOOST_TEST((find_monitor("val_loss", names).direction == MetricDirection::kLowerIsBetter));
  BOOST_CHECK_EXCEPTION(find_monitor("val_acuracy", names), Error, [](const Error& error) {
    return error.code() == ErrorCode::kInvalidArgument &&
           std::string(error.what()) ==
               "monitor: expected a metric of this run, found 'val_acuracy'" &&
           error.hint() == "did you mean 'val_accuracy'?";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
