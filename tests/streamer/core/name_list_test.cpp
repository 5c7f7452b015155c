#include "streamer/core/name_list.h"

#include <boost/test/unit_test.hpp>

namespace penstock {
namespace {

enum class Season : unsigned char { kWet, kDry, kCold };

constexpr std::string_view name_of(Season season) {
  switch (season) {
    case Season::kWet:
      return "wet";
    case Season::kDry:
      return "dry";
    case Season::kCold:
      return "cold";
  }
  return {};
}

BOOST_AUTO_TEST_SUITE(name_list)

BOOST_AUTO_TEST_CASE(every_value_that_is_named_is_in_the_list_in_order) {
  constexpr auto kNames = names_in_order<Season, name_of>();
  static_assert(kNames == std::array<std::string_view, 3>{"wet", "dry", "cold"});
  BOOST_TEST(name_choice(kNames) == "wet, dry or cold");
}

BOOST_AUTO_TEST_CASE(a_choice_of_two_has_no_comma_and_one_stands_alone) {
  constexpr std::array<std::string_view, 2> kTwo = {"wet", "dry"};
  BOOST_TEST(name_choice(kTwo) == "wet or dry");
  BOOST_TEST(name_choice(std::span(kTwo).first(1)) == "wet");
  BOOST_TEST(name_choice({}) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
