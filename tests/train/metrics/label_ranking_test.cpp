#include "train/metrics/label_ranking.h"

#include <boost/test/unit_test.hpp>
#include <limits>

#include "streamer/core/error.h"
#include "tests/train/metrics/metric_goldens.h"
#include "train/metrics/label_counts.h"

namespace penstock::train {
namespace {

constexpr std::uint64_t kMuch = std::uint64_t{1} << 30;

LabelRanking ranked(const ScoredSamples& samples, std::size_t batch) {
  LabelRanking ranking(
      {.num_labels = samples.num_outputs, .max_samples = samples.size(), .limit_bytes = kMuch});
  for_batches(samples.size(), batch, [&](std::size_t first, std::size_t num) {
    ranking.add(samples.with_targets(first, num));
  });
  return ranking;
}

/// Figures of the labels that have one, as the goldens list them.
struct KnownFigures {
  explicit KnownFigures(const RankingReport& report) {
    for (const RankingFigures& label : report.labels) {
      if (label.average_precision) precision.push_back(*label.average_precision);
      if (label.roc_auc) auc.push_back(*label.roc_auc);
      if (label.best_threshold)
        best_score.push_back(static_cast<double>(label.best_threshold->score));
      if (label.best_threshold) best_f1.push_back(label.best_threshold->f1);
    }
  }
  std::vector<double> precision, auc, best_score, best_f1;
};

void check_values(const std::vector<double>& found, const std::vector<double>& expected) {
  BOOST_TEST(found == expected, boost::test_tools::tolerance(1e-12)
                                    << boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE(label_ranking)

// One golden has many ties, a label that is never there and one that always is.
BOOST_AUTO_TEST_CASE(figures_are_those_of_scikit_learn_however_batches_were_cut) {
  for (const tests::GoldenCase& golden : metric_goldens("several_labels")) {
    const ScoredSamples samples(golden);
    for (const std::size_t batch : {1000, 1, 7}) {
      BOOST_TEST_CONTEXT(golden.name() << " by " << batch) {
        const RankingReport report = ranked(samples, batch).report();
        const KnownFigures known(report);
        check_values(known.precision, golden.numbers("average_precision"));
        check_values(known.auc, golden.numbers("roc_auc"));
        check_values(known.best_score, golden.numbers("best_scores"));
        check_values(known.best_f1, golden.numbers("best_f1"));
        check_values({report.mean_average_precision.value(), report.macro_roc_auc.value()},
                     {golden.number("mean_average_precision"), golden.number("macro_roc_auc")});
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(decisions_at_the_best_thresholds_have_the_f1_that_was_promised) {
  const ScoredSamples samples(metric_goldens("several_labels_plain").front());
  std::vector<float> thresholds;
  const RankingReport report = ranked(samples, 50).report();
  for (const RankingFigures& label : report.labels) {
    thresholds.push_back(label.best_threshold.value().score);
  }
  LabelCounts counts({.num_labels = 4, .score_thresholds = thresholds});
  counts.add(samples.with_targets(0, samples.size()));
  for (std::size_t k = 0; k < 4; ++k) {
    BOOST_TEST(counts.report().classes[k].f1 == report.labels[k].best_threshold.value().f1);
  }
}

BOOST_AUTO_TEST_CASE(parts_that_are_merged_give_the_whole_to_the_last_bit) {
  const ScoredSamples samples(metric_goldens("several_labels_ties").front());
  const LabelRankingConfig config{.num_labels = 4, .max_samples = 50, .limit_bytes = kMuch};
  LabelRanking left(config), right(config);
  left.add(samples.with_targets(30, 20));
  right.add(samples.with_targets(0, 30));
  left.merge(right);
  const RankingReport whole = ranked(samples, 50).report();
  BOOST_TEST(left.num_samples() == 50u);
  BOOST_TEST(left.report().mean_average_precision.value() == whole.mean_average_precision.value());
  BOOST_TEST(left.report().macro_roc_auc.value() == whole.macro_roc_auc.value());
  BOOST_CHECK_THROW(left.merge(right), Error);  // 80 of at most 50
}

// 4 bytes a score, 1 a target, 8 a sample.
BOOST_AUTO_TEST_CASE(memory_is_a_function_and_passing_the_limit_is_refused_with_the_bytes) {
  const LabelRankingConfig config{.num_labels = 80, .max_samples = 1000, .limit_bytes = 407'999};
  BOOST_TEST(LabelRanking::bytes_for(config) == 1000u * (80u * 5u + 8u));
  BOOST_CHECK_EXCEPTION(LabelRanking{config}, Error, [](const Error& error) {
    return error.code() == ErrorCode::kOutOfMemory &&
           std::string(error.what()) ==
               "metrics: average precision and ROC AUC: expected at most 407999 bytes, found "
               "408000 for the scores of 1000 samples and 80 labels";
  });
  BOOST_CHECK_NO_THROW(
      LabelRanking({.num_labels = 80, .max_samples = 1000, .limit_bytes = 408'000}));
}

BOOST_AUTO_TEST_CASE(bytes_that_overflow_are_as_many_as_there_are) {
  BOOST_TEST(
      LabelRanking::bytes_for({.num_labels = 0xFFFFFFFFu, .max_samples = std::uint64_t{1} << 40}) ==
      std::numeric_limits<std::uint64_t>::max());
}

BOOST_AUTO_TEST_CASE(more_samples_than_announced_are_refused_and_not_counted) {
  const ScoredSamples samples(metric_goldens("several_labels_plain").front());
  LabelRanking ranking({.num_labels = 4, .max_samples = 10, .limit_bytes = kMuch});
  ranking.add(samples.with_targets(0, 8));
  BOOST_CHECK_EXCEPTION(ranking.add(samples.with_targets(8, 3)), Error, [](const Error& error) {
    return std::string(error.what()) == "metrics: ranking: expected at most 10 samples, found 11";
  });
  BOOST_TEST(ranking.num_samples() == 8u);
}

BOOST_AUTO_TEST_CASE(no_sample_and_a_single_one_have_only_the_figures_that_exist) {
  const LabelRankingConfig config{.num_labels = 2, .max_samples = 2, .limit_bytes = kMuch};
  BOOST_TEST(!LabelRanking(config).report().mean_average_precision.has_value());
  LabelRanking ranking(config);
  const std::vector<float> scores = {-1, 2, 5, 5}, targets = {1, 0, 1, 1}, weights = {1, 0};
  const std::vector<std::uint64_t> ids = {1, 2};
  ranking.add({scores, targets, weights, ids});
  BOOST_TEST(ranking.num_samples() == 1u);
  BOOST_TEST(ranking.report().mean_average_precision.value() == 1.0);
  BOOST_TEST(!ranking.report().macro_roc_auc.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
