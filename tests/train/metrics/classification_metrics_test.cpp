#include "train/metrics/classification_metrics.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "tests/train/metrics/metric_goldens.h"

namespace penstock::train {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

ClassificationMetrics measured(const tests::GoldenCase& golden, std::size_t batch) {
  const ScoredSamples samples(golden);
  ClassificationMetrics metrics({.num_classes = samples.num_outputs,
                                 .top_k = static_cast<std::uint32_t>(golden.number("top_k"))});
  for_batches(samples.size(), batch, [&](std::size_t first, std::size_t num) {
    metrics.add(samples.classes(first, num));
  });
  return metrics;
}

void check_shares(const PrecisionRecall& found, const std::vector<double>& expected) {
  BOOST_TEST(found.precision == expected.at(0), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(found.recall == expected.at(1), boost::test_tools::tolerance(1e-12));
  BOOST_TEST(found.f1 == expected.at(2), boost::test_tools::tolerance(1e-12));
}

void check_classes(const ClassReport& report, const tests::GoldenCase& golden) {
  const std::vector<double> precision = golden.numbers("precision");
  const std::vector<double> recall = golden.numbers("recall");
  const std::vector<double> f1 = golden.numbers("f1");
  BOOST_TEST_REQUIRE(report.classes.size() == precision.size());
  for (std::size_t k = 0; k < precision.size(); ++k) {
    check_shares(report.classes[k], {precision[k], recall[k], f1[k]});
  }
}

void check_confusion(const ConfusionMatrix& confusion, const tests::GoldenCase& golden) {
  const std::vector<double> expected = golden.numbers("confusion");
  for (std::uint32_t i = 0; i < expected.size(); ++i) {
    const auto found = confusion.count({i / confusion.num_classes(), i % confusion.num_classes()});
    BOOST_TEST(found == static_cast<std::uint64_t>(expected[i]));
  }
}

/// The message for a batch of one sample of two classes, and that nothing was counted.
std::string refusal(std::vector<float> scores, std::uint32_t label, float weight) {
  ClassificationMetrics metrics({.num_classes = 2});
  const std::vector<std::uint64_t> ids = {7, 8};
  const std::vector<std::uint32_t> labels = {0, label};
  const std::vector<float> weights = {1, weight};
  scores.insert(scores.begin(), {1, 0});  // a sound sample before it
  try {
    metrics.add({scores, labels, weights, ids});
  } catch (const Error& error) {
    BOOST_TEST(metrics.num_samples() == 0u);
    BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
    return error.what();
  }
  return "accepted";
}

BOOST_AUTO_TEST_SUITE(classification_metrics)

// The goldens hold ties, classes that never occur, weights of 0, sure scores and a single sample.
BOOST_AUTO_TEST_CASE(figures_are_those_of_scikit_learn) {
  const auto goldens = metric_goldens("one_class");
  BOOST_TEST(goldens.size() == 7u);
  for (const tests::GoldenCase& golden : goldens) {
    BOOST_TEST_CONTEXT(golden.name()) {
      const ClassificationMetrics metrics = measured(golden, 1000);
      BOOST_TEST(metrics.accuracy() == golden.number("accuracy"),
                 boost::test_tools::tolerance(1e-14));
      BOOST_TEST(metrics.top_k_accuracy() == golden.number("top_k_accuracy"),
                 boost::test_tools::tolerance(1e-14));
      check_confusion(metrics.confusion(), golden);
      const ClassReport report = metrics.report();
      check_classes(report, golden);
      check_shares(report.macro, golden.numbers("macro"));
      check_shares(report.weighted, golden.numbers("weighted"));
      check_shares(report.micro, golden.numbers("micro"));
      BOOST_TEST(metrics.negative_log_likelihood() == golden.number("nll"),
                 boost::test_tools::tolerance(1e-12));
      BOOST_TEST(metrics.calibration().expected_error() == golden.number("calibration_error"),
                 boost::test_tools::tolerance(1e-12));
    }
  }
}

BOOST_AUTO_TEST_CASE(figures_do_not_depend_on_how_batches_were_cut_to_the_last_bit) {
  for (const tests::GoldenCase& golden : metric_goldens("one_class")) {
    const ClassificationMetrics whole = measured(golden, 1000);
    for (const std::size_t batch : {1, 7, 16}) {
      BOOST_TEST_CONTEXT(golden.name() << " by " << batch) {
        const ClassificationMetrics cut = measured(golden, batch);
        BOOST_TEST(cut.accuracy() == whole.accuracy());
        BOOST_TEST(cut.report().macro.f1 == whole.report().macro.f1);
        BOOST_TEST(cut.negative_log_likelihood() == whole.negative_log_likelihood());
        BOOST_TEST(cut.calibration().expected_error() == whole.calibration().expected_error());
        BOOST_TEST(cut.worst().list().size() == whole.worst().list().size());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(parts_that_are_merged_give_the_whole) {
  const tests::GoldenCase golden = metric_goldens("one_class_plain").front();
  const ScoredSamples samples(golden);
  const ClassificationConfig config{.num_classes = samples.num_outputs, .top_k = 3};
  ClassificationMetrics left(config), right(config);
  left.add(samples.classes(0, 22));
  right.add(samples.classes(22, samples.size() - 22));
  left.merge(right);
  BOOST_TEST(left.num_samples() == samples.size());
  BOOST_TEST(left.accuracy() == golden.number("accuracy"));
  BOOST_TEST(left.top_k_accuracy() == golden.number("top_k_accuracy"));
  check_confusion(left.confusion(), golden);
  BOOST_TEST(left.negative_log_likelihood() == golden.number("nll"),
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(left.calibration().expected_error() == golden.number("calibration_error"),
             boost::test_tools::tolerance(1e-12));
  const auto whole = measured(golden, 1000).worst().list();
  const auto merged = left.worst().list();
  BOOST_TEST_REQUIRE(merged.size() == whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    BOOST_TEST(merged[i].sample_id == whole[i].sample_id);
  }
  BOOST_CHECK_THROW(left.merge(ClassificationMetrics({.num_classes = 5, .top_k = 2})), Error);
  BOOST_CHECK_THROW(left.merge(ClassificationMetrics({.num_classes = 4, .top_k = 3})), Error);
}

// Probabilities of scores (ln 3, 0) are 3/4 and 1/4.
BOOST_AUTO_TEST_CASE(mistakes_carry_label_prediction_probability_and_loss) {
  ClassificationMetrics metrics({.num_classes = 2, .num_worst = 4});
  const float ln3 = 1.0986123f, ln9 = 2.1972246f;
  const std::vector<float> scores = {ln3, 0, 0, ln9, ln3, 0, ln3, 0};
  const std::vector<std::uint32_t> labels = {1, 0, 0, 1};
  const std::vector<std::uint64_t> ids = {50, 40, 30, 20};
  metrics.add({scores, labels, {}, ids});
  const std::vector<Mistake> worst = metrics.worst().list();
  BOOST_TEST_REQUIRE(worst.size() == 3u);  // 30 is right
  BOOST_TEST(worst[0].sample_id == 40u);
  BOOST_TEST(worst[0].label_idx == 0u);
  BOOST_TEST(worst[0].predicted_idx == 1u);
  BOOST_TEST(worst[0].predicted_probability == 0.9, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(worst[0].loss == std::log(10.0), boost::test_tools::tolerance(1e-6));
  BOOST_TEST(worst[1].sample_id == 20u);  // as bad as 50, lower id
  BOOST_TEST(worst[2].sample_id == 50u);
  BOOST_TEST(worst[1].loss == std::log(4.0), boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(one_class_is_always_right_and_certain) {
  ClassificationMetrics metrics({.num_classes = 1, .top_k = 1});
  const std::vector<float> scores = {-3, 12};
  const std::vector<std::uint32_t> labels = {0, 0};
  const std::vector<std::uint64_t> ids = {1, 2};
  metrics.add({scores, labels, {}, ids});
  BOOST_TEST(metrics.accuracy() == 1.0);
  BOOST_TEST(metrics.report().macro.f1 == 1.0);
  BOOST_TEST(metrics.negative_log_likelihood() == 0.0);
  BOOST_TEST(metrics.calibration().expected_error() == 0.0);
}

BOOST_AUTO_TEST_CASE(without_samples_means_are_no_number_and_shares_of_classes_are_0) {
  const ClassificationMetrics metrics({.num_classes = 3});
  BOOST_TEST(std::isnan(metrics.accuracy()));
  BOOST_TEST(std::isnan(metrics.top_k_accuracy()));
  BOOST_TEST(std::isnan(metrics.negative_log_likelihood()));
  BOOST_TEST(std::isnan(metrics.calibration().expected_error()));
  BOOST_TEST(metrics.report().macro.f1 == 0.0);
}

BOOST_AUTO_TEST_CASE(samples_without_label_or_weight_count_nowhere_whatever_their_scores) {
  ClassificationMetrics metrics({.num_classes = 2});
  const std::vector<float> scores = {1, 0, kNan, 0, 0, kNan};
  const std::vector<std::uint32_t> labels = {0, kUnlabelled, 9};
  const std::vector<float> weights = {2, 1, 0};
  const std::vector<std::uint64_t> ids = {1, 2, 3};
  metrics.add({scores, labels, weights, ids});
  BOOST_TEST(metrics.num_samples() == 1u);
  BOOST_TEST(metrics.accuracy() == 1.0);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_measured_is_refused_with_the_sample_and_nothing_is_counted) {
  const float inf = std::numeric_limits<float>::infinity();
  BOOST_TEST(refusal({0, kNan}, 0, 1) ==
             "metrics: sample 8: score: expected a finite number, found nan");
  BOOST_TEST(refusal({-inf, 0}, 0, 1) ==
             "metrics: sample 8: score: expected a finite number, found -inf");
  BOOST_TEST(refusal({0, 0}, 2, 1) == "metrics: sample 8: label: expected below 2, found 2");
  BOOST_TEST(refusal({0, 0}, 1, -1) ==
             "metrics: sample 8: weight: expected a finite number, 0 or more, found -1");
  BOOST_TEST(refusal({0}, 1, 1) == "metrics: scores: expected 4 values, found 3");
}

BOOST_AUTO_TEST_CASE(settings_out_of_range_are_named) {
  const auto is_about = [](const char* message) {
    return [message](const Error& error) { return std::string(error.what()) == message; };
  };
  BOOST_CHECK_EXCEPTION(ClassificationMetrics({.num_classes = 0}), Error,
                        is_about("metrics: num_classes: expected 1 to 4294967294, found 0"));
  BOOST_CHECK_EXCEPTION(ClassificationMetrics({.num_classes = 2, .top_k = 0}), Error,
                        is_about("metrics: top_k: expected 1 to 4294967295, found 0"));
  BOOST_CHECK_EXCEPTION(ClassificationMetrics({.num_classes = 2, .num_worst = 100'001}), Error,
                        is_about("metrics: num_worst: expected 0 to 100000, found 100001"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
