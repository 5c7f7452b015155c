#include "train/metrics/class_report.h"

#include <boost/test/unit_test.hpp>

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(class_report)

// By hand, from the definitions: 3 of 4 predicted are right, 3 of 6 there are found.
BOOST_AUTO_TEST_CASE(shares_are_those_of_the_definitions) {
  const PrecisionRecall shares =
      precision_recall({.num_actual = 6, .num_predicted = 4, .num_correct = 3});
  BOOST_TEST(shares.precision == 0.75);
  BOOST_TEST(shares.recall == 0.5);
  BOOST_TEST(shares.f1 == 0.6);
}

BOOST_AUTO_TEST_CASE(nothing_over_nothing_is_0) {
  const PrecisionRecall never = precision_recall({});
  BOOST_TEST(never.precision == 0.0);
  BOOST_TEST(never.recall == 0.0);
  BOOST_TEST(never.f1 == 0.0);
  BOOST_TEST(precision_recall({.num_actual = 2}).precision == 0.0);
  BOOST_TEST(precision_recall({.num_predicted = 2}).recall == 0.0);
}

BOOST_AUTO_TEST_CASE(a_class_that_never_occurs_is_left_out_of_the_macro_mean_or_a_0_in_it) {
  const ClassCounts counts[] = {{.num_actual = 2, .num_predicted = 2, .num_correct = 2}, {}};
  BOOST_TEST(make_class_report(counts, MacroMean::kOccurring).macro.f1 == 1.0);
  BOOST_TEST(make_class_report(counts, MacroMean::kAll).macro.f1 == 0.5);
  BOOST_TEST(make_class_report(counts, MacroMean::kAll).weighted.f1 == 1.0);
}

// By hand: F1 of 2 * 3 / 10 and 2 * 1 / 4, weighing 6 and 2; sums 4 correct of 8 and 6.
BOOST_AUTO_TEST_CASE(means_weigh_classes_evenly_by_their_samples_or_by_every_decision) {
  const ClassCounts counts[] = {{.num_actual = 6, .num_predicted = 4, .num_correct = 3},
                                {.num_actual = 2, .num_predicted = 2, .num_correct = 1}};
  const ClassReport report = make_class_report(counts, MacroMean::kAll);
  BOOST_TEST(report.macro.f1 == 0.55, boost::test_tools::tolerance(1e-15));
  BOOST_TEST(report.weighted.f1 == 0.575, boost::test_tools::tolerance(1e-15));
  BOOST_TEST(report.micro.precision == 4.0 / 6.0);
  BOOST_TEST(report.micro.recall == 0.5);
}

// F1 by hand: 2 * 1 / 4, 0 of 2, nothing there, 2 * 2 / 4, 2 * 2 / 8.
BOOST_AUTO_TEST_CASE(classes_of_lowest_f1_come_first_and_those_that_never_occur_not_at_all) {
  const ClassCounts counts[] = {{.num_actual = 2, .num_predicted = 2, .num_correct = 1},
                                {.num_actual = 1, .num_predicted = 1},
                                {},
                                {.num_actual = 2, .num_predicted = 2, .num_correct = 2},
                                {.num_actual = 5, .num_predicted = 3, .num_correct = 2}};
  using Indices = std::vector<std::uint32_t>;
  const auto per_element = boost::test_tools::per_element();
  BOOST_TEST(lowest_f1_classes(counts, 9) == (Indices{1, 0, 4, 3}), per_element);  // 0 and 4: 0.5
  BOOST_TEST(lowest_f1_classes(counts, 2) == (Indices{1, 0}), per_element);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
