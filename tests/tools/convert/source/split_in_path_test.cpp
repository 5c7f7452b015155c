#include "tools/convert/source/split_in_path.h"

#include <boost/test/unit_test.hpp>

namespace penstock::convert {
namespace {

BOOST_AUTO_TEST_SUITE(split_in_path_of_archives)

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
