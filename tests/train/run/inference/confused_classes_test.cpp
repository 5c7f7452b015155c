#include "train/run/inference/confused_classes.h"

#include <boost/test/unit_test.hpp>

namespace penstock::train {
namespace {

void add(ConfusionMatrix& confusion, std::uint32_t actual, std::uint32_t predicted, int times) {
  for (int i = 0; i < times; ++i) confusion.add({actual, predicted});
}

ConfusionMatrix three_classes() {
  ConfusionMatrix confusion(3);
  add(confusion, 0, 0, 9);
  add(confusion, 0, 2, 2);
  add(confusion, 1, 0, 5);
  add(confusion, 2, 0, 2);
  add(confusion, 2, 1, 1);
  return confusion;
}

/// "label>prediction:count" of each.
std::string text_of(const std::vector<ConfusedClasses>& pairs) {
  std::string text;
  for (const ConfusedClasses& one : pairs) {
    text += (text.empty() ? "" : " ") + std::to_string(one.pair.actual_idx) + ">" +
            std::to_string(one.pair.predicted_idx) + ":" + std::to_string(one.num_samples);
  }
  return text;
}

BOOST_AUTO_TEST_SUITE(confused_classes)

BOOST_AUTO_TEST_CASE(pairs_come_most_often_first_and_equal_ones_by_label) {
  BOOST_TEST(text_of(most_confused(three_classes(), 10)) == "1>0:5 0>2:2 2>0:2 2>1:1");
}

BOOST_AUTO_TEST_CASE(a_limit_keeps_the_most_confused) {
  BOOST_TEST(text_of(most_confused(three_classes(), 2)) == "1>0:5 0>2:2");
  BOOST_TEST(text_of(most_confused(three_classes(), 1)) == "1>0:5");
  BOOST_TEST(text_of(most_confused(three_classes(), 0)) == "");
}

BOOST_AUTO_TEST_CASE(a_matrix_without_pairs_has_none) {
  ConfusionMatrix confusion(ConfusionMatrix::kMaxDenseClasses + 1);
  add(confusion, 7, 8, 3);
  BOOST_TEST(most_confused(confusion, 10).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
