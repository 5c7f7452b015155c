#include "tools/preview_samples.h"

#include <boost/test/unit_test.hpp>
#include <vector>

namespace penstock::tools {
namespace {

BOOST_AUTO_TEST_SUITE(preview_samples)

// By hand: (0 * 0.25 + 0.5) * 255 = 127.5, which goes up; (1 * 0.25 + 0.5) * 255 = 191.25.
BOOST_AUTO_TEST_CASE(values_are_denormalised_channel_by_channel_and_rounded_to_the_nearest) {
  const augment::AugmentConfig config{.mean = {0.5, 0.5, 0}, .std = {0.25, 0.25, 1}};
  const std::vector<float> values = {0, 1, 10.0f / 255, -9, 9, -1};
  const std::vector<std::uint8_t> expected = {128, 191, 10, 0, 255, 0};
  BOOST_TEST(denormalised(values, config) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools
