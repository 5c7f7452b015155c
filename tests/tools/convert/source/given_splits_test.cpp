#include "tools/convert/source/given_splits.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

BOOST_AUTO_TEST_SUITE(given_splits)

BOOST_AUTO_TEST_CASE(a_path_speaks_of_a_split_as_a_whole_name) {
  BOOST_CHECK(split_in_path("train-000.tar") == SplitKind::kTrain);
  BOOST_CHECK(split_in_path("imagenet_1k-Val-07.tar.gz") == SplitKind::kValidation);
  BOOST_CHECK(split_in_path("testing/000.tar") == SplitKind::kTest);
  BOOST_CHECK(split_in_path("train/train-000.tar") == SplitKind::kTrain);
  BOOST_CHECK(!split_in_path("training-wheels.tar"));
  BOOST_CHECK(!split_in_path("constrain.tar"));
  BOOST_CHECK(!split_in_path("train-test.tar"));
  BOOST_CHECK(!split_in_path(""));
}

BOOST_AUTO_TEST_CASE(what_is_given_stands_and_what_is_asked_for_is_drawn_from_training) {
  const GivenSplits as_given({}, "x");
  BOOST_CHECK(as_given.listed(SplitKind::kTrain) == SplitKind::kTrain);
  BOOST_CHECK(!as_given.listed(std::nullopt));
  const GivenSplits drawn({.validation_fraction = 0.1}, "x");
  BOOST_CHECK(!drawn.listed(SplitKind::kTrain));
  BOOST_CHECK(drawn.listed(SplitKind::kTest) == SplitKind::kTest);
  BOOST_CHECK_NO_THROW(drawn.note(SplitKind::kTest));
}

BOOST_AUTO_TEST_CASE(a_fraction_beside_a_split_that_is_given_is_refused) {
  const GivenSplits splits({.test_fraction = 0.1}, "photos.tar");
  BOOST_CHECK_EXCEPTION(splits.note(SplitKind::kTest), Error, [](const Error& error) {
    BOOST_TEST(error.hint() == "leave --test-split out: the source decides");
    return std::string(error.what()) ==
           "--test-split: photos.tar: expected a source without this split, found one that has it";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
