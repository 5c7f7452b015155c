#include "streamer/core/philox.h"

#include <boost/test/unit_test.hpp>

#include "streamer/core/draws.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(philox)

// Source: Random123 1.09, tests/kat_vectors, lines "philox4x32 10".
BOOST_AUTO_TEST_CASE(published_vectors_are_reproduced) {
  struct Vector {
    PhiloxCounter counter;
    PhiloxKey key;
    PhiloxCounter expected;
  };
  const Vector vectors[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const Vector& v : vectors) {
    BOOST_TEST(philox4x32_10(v.counter, v.key) == v.expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(counter_and_key_are_laid_out_as_documented) {
  const Draws draws({.seed = 0x299f31d0a4093822u,
                     .epoch = 0x13198a2e,
                     .position = 0x85a308d3243f6a88u,
                     .purpose = static_cast<DrawPurpose>(0x0370)});
  const PhiloxCounter expected = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
  BOOST_TEST(draws.block(0x7344) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(uniform_draws_fill_the_unit_interval_evenly) {
  constexpr int kNumDraws = 100'000;
  double sum = 0;
  double sum_of_squares = 0;
  for (int i = 0; i < kNumDraws; ++i) {
    const double u = Draws({.seed = 7, .position = static_cast<std::uint64_t>(i)}).uniform(0);
    BOOST_REQUIRE(u >= 0.0);
    BOOST_REQUIRE(u < 1.0);
    sum += u;
    sum_of_squares += u * u;
  }
  // Mean 1/2 and second moment 1/3; bounds are five standard errors.
  BOOST_TEST(sum / kNumDraws == 0.5, boost::test_tools::tolerance(0.01));
  BOOST_TEST(sum_of_squares / kNumDraws == 1.0 / 3.0, boost::test_tools::tolerance(0.015));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
