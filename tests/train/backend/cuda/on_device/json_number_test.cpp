#include "tests/train/backend/cuda/on_device/json_number.h"

#include <boost/test/unit_test.hpp>
#include <limits>

namespace penstock::tests {
namespace {

BOOST_AUTO_TEST_SUITE(json_numbers)

BOOST_AUTO_TEST_CASE(what_is_no_number_is_null) {
  BOOST_TEST(json_number(std::numeric_limits<double>::quiet_NaN()) == "null");
  BOOST_TEST(json_number(-std::numeric_limits<double>::quiet_NaN()) == "null");
  BOOST_TEST(json_number(std::numeric_limits<double>::infinity()) == "null");
  BOOST_TEST(json_number(-std::numeric_limits<double>::infinity()) == "null");
}

BOOST_AUTO_TEST_CASE(numbers_keep_twelve_digits) {
  BOOST_TEST(json_number(-0.5) == "-0.5");
  BOOST_TEST(json_number(85'899'345'920.0) == "85899345920");
  BOOST_TEST(json_number(1e-20) == "1e-20");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tests
