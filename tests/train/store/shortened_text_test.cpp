#include "train/store/shortened_text.h"

#include <boost/test/unit_test.hpp>

namespace penstock::train {
namespace {

BOOST_AUTO_TEST_SUITE(shortened_text)

BOOST_AUTO_TEST_CASE(up_to_80_bytes_stay_as_they_are) {
  BOOST_TEST(shortened("") == "");
  BOOST_TEST(shortened(std::string(80, 'x')) == std::string(80, 'x'));
  BOOST_TEST(shortened(std::string(81, 'x')) == std::string(80, 'x') + "...");
}

// "\xC3\xA9" is e with an acute accent (RFC 3629): its second byte would be the 81st.
BOOST_AUTO_TEST_CASE(no_character_is_cut) {
  BOOST_TEST(shortened(std::string(79, 'x') + "\xC3\xA9 and more") == std::string(79, 'x') + "...");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::train
