#include "train/metrics/confusion_matrix.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <vector>

#include "streamer/core/error.h"

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(confusion_matrix)

BOOST_AUTO_TEST_CASE(rows_are_labels_and_columns_predictions) {
  ConfusionMatrix matrix(3);
  matrix.add({0, 2});
  matrix.add({0, 2});
  matrix.add({1, 1});
  BOOST_TEST(matrix.count({0, 2}) == 2u);
  BOOST_TEST(matrix.count({2, 0}) == 0u);
  BOOST_TEST(matrix.count({1, 1}) == 1u);
  BOOST_TEST(
      (matrix.rows() == std::vector<std::vector<std::uint64_t>>{{0, 0, 2}, {0, 1, 0}, {0, 0, 0}}));
  BOOST_TEST(matrix.classes()[0].num_actual == 2u);
  BOOST_TEST(matrix.classes()[0].num_correct == 0u);
  BOOST_TEST(matrix.classes()[2].num_predicted == 2u);
  BOOST_TEST(matrix.num_samples() == 3u);
  BOOST_TEST(matrix.num_correct() == 1u);
}

// 8 bytes a pair, and three counts of 8 bytes a class.
BOOST_AUTO_TEST_CASE(the_matrix_has_a_largest_size_and_states_its_bytes) {
  BOOST_TEST(ConfusionMatrix::bytes_for(10) == 10u * 10u * 8u + 10u * 24u);
  BOOST_TEST(ConfusionMatrix::bytes_for(4096) == 4096u * 4096u * 8u + 4096u * 24u);
  BOOST_TEST(ConfusionMatrix::bytes_for(4097) == 4097u * 24u);
}

BOOST_AUTO_TEST_CASE(beyond_it_classes_are_counted_and_pairs_are_not) {
  ConfusionMatrix matrix(4097);
  matrix.add({4096, 0});
  BOOST_TEST(!matrix.is_dense());
  BOOST_TEST(matrix.classes()[4096].num_actual == 1u);
  BOOST_TEST(matrix.classes()[0].num_predicted == 1u);
  BOOST_CHECK_EXCEPTION(matrix.count({4096, 0}), Error, [](const Error& error) {
    return error.code() == ErrorCode::kUnsupported &&
           std::string(error.what()) ==
               "metrics: confusion matrix: expected one with pairs, of at most 4096 classes, found "
               "none of 4097";
  });
}

BOOST_AUTO_TEST_CASE(pairs_that_nobody_wants_take_no_memory) {
  BOOST_TEST(ConfusionMatrix::bytes_for(4096, PairCounts::kNone) == 4096u * 24u);
  ConfusionMatrix classes(3, PairCounts::kNone);
  classes.add({2, 0});
  BOOST_TEST(!classes.is_dense());
  BOOST_TEST(classes.classes()[2].num_actual == 1u);
  ConfusionMatrix pairs(3);
  BOOST_CHECK_EXCEPTION(pairs.merge(classes), Error, [](const Error& error) {
    return std::string(error.what()) ==
           "metrics: merge: expected a confusion matrix with pairs, found one without";
  });
  classes.merge(pairs);
  BOOST_TEST(classes.num_samples() == 1u);
}

BOOST_AUTO_TEST_CASE(a_class_that_is_not_there_is_refused) {
  BOOST_CHECK_EXCEPTION(ConfusionMatrix(3).count({0, 3}), Error, [](const Error& error) {
    return std::string(error.what()) == "metrics: predicted_idx: expected 0 to 2, found 3";
  });
}

BOOST_AUTO_TEST_CASE(merged_matrices_are_sums) {
  ConfusionMatrix left(2), right(2);
  left.add({0, 1});
  right.add({0, 1});
  right.add({1, 1});
  left.merge(right);
  BOOST_TEST(left.count({0, 1}) == 2u);
  BOOST_TEST(left.num_samples() == 3u);
  BOOST_TEST(left.num_correct() == 1u);
  BOOST_TEST(left.classes()[1].num_predicted == 3u);
  BOOST_CHECK_EXCEPTION(left.merge(ConfusionMatrix(3)), Error, [](const Error& error) {
    return std::string(error.what()) == "metrics: merge: expected 2 classes, found 3";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
