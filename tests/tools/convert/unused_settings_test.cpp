#include "tools/convert/unused_settings.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace penstock::convert {
namespace {

using Lines = std::vector<std::string>;

// Settings of all kinds.
ConvertConfig asks_for_much() {
  return {.several_scans = SeveralScans::kRewritten,
          .strip_metadata = true,
          .background = {.red = 1, .green = 2, .blue = 3},
          .encode = {.max_side_px = 64, .quality = 80}};
}

BOOST_AUTO_TEST_SUITE(unused_settings_of_a_conversion)

BOOST_AUTO_TEST_CASE(each_setting_that_nothing_came_of_has_a_line) {
  const Lines lines = unused_settings(asks_for_much(), {});
  const Lines beginnings = {"--resize-short, --max-side: no picture is larger",
                            "--quality: no picture was encoded as JPEG",
                            "--background: no picture is transparent", "--optimize-crops: no ",
                            "--strip-metadata: no "};
  BOOST_REQUIRE(lines.size() == beginnings.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    BOOST_TEST(lines[i].starts_with(beginnings[i]), lines[i]);
  }
  BOOST_TEST(unused_settings({}, {}).empty());
}

BOOST_AUTO_TEST_CASE(one_picture_is_enough) {
  ConvertSummary summary;
  summary.counted.num_resized = 1;
  summary.counted.num_reencoded_by_codec = {1, 0, 0};
  summary.reasons.fixed[static_cast<std::size_t>(ReasonCode::kTransparency)] = 1;
  summary.counted.num_in_several_scans = 1;
  summary.counted.num_stripped = 1;
  BOOST_CHECK(unused_settings(asks_for_much(), summary) == Lines{});
  // Bare pixels have no quality.
  summary.counted.num_reencoded_by_codec = {0, 5, 5};
  BOOST_TEST(unused_settings(asks_for_much(), summary).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::convert
