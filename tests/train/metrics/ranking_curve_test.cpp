#include "train/metrics/ranking_curve.h"

#include <boost/test/unit_test.hpp>
#include <vector>

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(ranking_curve)

// By hand, in order of scores: + - + -. Precision at the positives 1 and 2/3; of 4 pairs 3 in order.
BOOST_AUTO_TEST_CASE(figures_are_those_of_the_definitions) {
  std::vector<RankedScore> scores = {{-1, false}, {3, true}, {1, true}, {2, false}};
  const RankingFigures figures = ranking_figures(scores);
  BOOST_TEST(figures.num_positive == 2u);
  BOOST_TEST(figures.num_negative == 2u);
  BOOST_TEST(figures.average_precision.value() == (1.0 + 2.0 / 3.0) / 2,
             boost::test_tools::tolerance(1e-15));
  BOOST_TEST(figures.roc_auc.value() == 0.75);
  // F1 at 3: 2/3, at 2: 1/2, at 1: 4/5, at -1: 2/3.
  BOOST_TEST(figures.best_threshold.value().score == 1.0f);
  BOOST_TEST(figures.best_threshold.value().f1 == 0.8);
  BOOST_TEST(figures.best_threshold.value().probability == 0.7310585786300049,
             boost::test_tools::tolerance(1e-14));
}

// By hand, in order of scores: + - - +. F1 is 2 / 3 at the first and 4 / 6 at the last.
BOOST_AUTO_TEST_CASE(of_equally_good_thresholds_the_highest_is_the_best) {
  std::vector<RankedScore> scores = {{4, true}, {3, false}, {2, false}, {1, true}};
  BOOST_TEST(ranking_figures(scores).best_threshold.value().score == 4.0f);
}

// All tied: one step, precision is the share of positives, every pair half in order.
BOOST_AUTO_TEST_CASE(equal_scores_are_one_step) {
  std::vector<RankedScore> scores = {{2, true}, {2, false}, {2, false}, {2, false}};
  const RankingFigures figures = ranking_figures(scores);
  BOOST_TEST(figures.average_precision.value() == 0.25);
  BOOST_TEST(figures.roc_auc.value() == 0.5);
}

BOOST_AUTO_TEST_CASE(a_label_without_positives_or_negatives_has_no_figure_where_it_needs_them) {
  std::vector<RankedScore> negative = {{2, false}, {1, false}}, positive = {{2, true}}, none;
  BOOST_TEST(!ranking_figures(negative).average_precision.has_value());
  BOOST_TEST(!ranking_figures(negative).roc_auc.has_value());
  BOOST_TEST(!ranking_figures(negative).best_threshold.has_value());
  BOOST_TEST(ranking_figures(positive).average_precision.value() == 1.0);
  BOOST_TEST(!ranking_figures(positive).roc_auc.has_value());
  BOOST_TEST(!ranking_figures(none).average_precision.has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
