#include "augment/warp/seen_interval.h"

#include <boost/test/unit_test.hpp>

namespace penstock::augment {
namespace {

void check_seen(Interval seen, Interval expected) {
  BOOST_TEST(seen.lo == expected.lo);
  BOOST_TEST(seen.hi == expected.hi);
}

BOOST_AUTO_TEST_SUITE(seen_interval_suite)

// By hand: 10 pixels cover -0.5 to 9.5.
BOOST_AUTO_TEST_CASE(positions_within_the_picture_are_seen_where_they_are) {
  for (const FillMode mode : {FillMode::kNearest, FillMode::kConstant, FillMode::kReflect}) {
    check_seen(seen_interval({.lo = -0.4, .hi = 9.4}, {.extent = 10}, mode),
               {.lo = -0.4, .hi = 9.4});
  }
  check_seen(seen_interval({.lo = 0.1, .hi = 8.9}, {.extent = 10}, FillMode::kWrap),
             {.lo = 0.1, .hi = 8.9});
}

BOOST_AUTO_TEST_CASE(mirrored_positions_are_seen_where_their_images_are) {
  check_seen(seen_interval({.lo = 4, .hi = 11.5}, {.extent = 10}, FillMode::kReflect),
             {.lo = 4, .hi = 9.5});
  check_seen(seen_interval({.lo = 9, .hi = 13}, {.extent = 10}, FillMode::kReflect),
             {.lo = 6, .hi = 9.5});
}

BOOST_AUTO_TEST_CASE(beyond_the_outermost_centres_a_wrapped_picture_is_seen_from_both_ends) {
  check_seen(seen_interval({.lo = 4, .hi = 9.1}, {.extent = 10}, FillMode::kWrap),
             {.lo = -0.5, .hi = 9.5});
  check_seen(seen_interval({.lo = -0.1, .hi = 5}, {.extent = 10}, FillMode::kWrap),
             {.lo = -0.5, .hi = 9.5});
}

// 97 pixels at 1/4 are 24.25: the last of 25 is centred at 24, beyond 23.75, where the first one is again.
BOOST_AUTO_TEST_CASE(the_last_centre_of_a_scaled_picture_may_lie_where_the_first_pixel_is_again) {
  check_seen(seen_interval({.lo = 5, .hi = 23.9}, {.extent = 24.25}, FillMode::kWrap),
             {.lo = -0.5, .hi = 23.75});
  check_seen(seen_interval({.lo = 5, .hi = 23.7}, {.extent = 24.25}, FillMode::kWrap),
             {.lo = 5, .hi = 23.7});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
