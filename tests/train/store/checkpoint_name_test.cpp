#include "train/store/checkpoint_name.h"

#include <boost/test/unit_test.hpp>

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(checkpoint_name)

// CHECKPOINT.md, "checkpoints/".
BOOST_AUTO_TEST_CASE(names_are_those_of_the_format) {
  BOOST_TEST(train::checkpoint_name({.serial = 17, .step = 1234}) == "000017-step-000001234");
  BOOST_TEST(train::checkpoint_name({.serial = 1, .step = 0}) == "000001-step-000000000");
  BOOST_TEST(train::checkpoint_name({.serial = 1234567, .step = 12345678901}) ==
             "1234567-step-12345678901");
}

BOOST_AUTO_TEST_CASE(a_name_says_its_numbers) {
  BOOST_TEST((parse_checkpoint_name("000017-step-000001234") ==
              CheckpointNumbers{.serial = 17, .step = 1234}));
  BOOST_TEST((parse_checkpoint_name("999999999-step-18446744073709551615") ==
              CheckpointNumbers{.serial = 999'999'999, .step = UINT64_MAX}));
}

BOOST_AUTO_TEST_CASE(what_is_not_spelled_as_written_is_no_name) {
  for (const char* name :
       {"", "17-step-1234", "000017-step-1234", "0000017-step-000001234",
        "000017-step-000001234.tmp", "000000-step-000001234", "1000000000-step-000001234",
        "000017-step-18446744073709551616", "000017-step--00001234", "+00017-step-000001234",
        "000017-step-", "-step-000001234", "000017_step_000001234", "000017-step-00000123x",
        " 000017-step-000001234", "000017-step-000001234/"}) {
    BOOST_TEST(!parse_checkpoint_name(name), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
