#include "streamer/shard/manifest_tally.h"

#include <boost/test/unit_test.hpp>

namespace penstock {
namespace {

struct Fixture {
  Fixture() { tally.add_split("train"); }
  void add(std::uint32_t width_px, std::uint32_t height_px, std::uint8_t orientation = 1) {
    tally.add_sample(0,
                     IndexRecord{.length_bytes = 10,
                                 .class_idx = 0,
                                 .width_px = width_px,
                                 .height_px = height_px,
                                 .orientation = orientation},
                     0);
  }
  std::vector<AspectBin> aspects() const { return tally.build().aspect_histogram; }

  ManifestTally tally{{"one"}};
};

BOOST_FIXTURE_TEST_SUITE(manifest_tally, Fixture)

// Bins as FORMAT.md states their bounds, in percent: 0 30 45 60 71 90 111 141 167 222 333.
BOOST_AUTO_TEST_CASE(common_ratios_fall_into_bins_of_their_own) {
  add(1080, 1920);  // 0.5625
  add(2000, 3000);  // 0.6667
  add(683, 1024);   // 0.6670, rounded by a camera
  add(3000, 4000);  // 0.75
  add(512, 512);    // 1
  add(1024, 768);   // 1.3333
  add(3000, 2000);  // 1.5
  add(1920, 1080);  // 1.7778
  add(10000, 1);    // far above 3.33
  add(1, 65535);    // almost 0
  BOOST_CHECK(
      (aspects() ==
       std::vector<AspectBin>{
           {0, 1}, {45, 1}, {60, 2}, {71, 1}, {90, 1}, {111, 1}, {141, 1}, {167, 1}, {333, 1}}));
}

BOOST_AUTO_TEST_CASE(a_bound_belongs_to_the_bin_above_it) {
  add(141, 100);
  add(14099, 10000);  // just below
  BOOST_CHECK((aspects() == std::vector<AspectBin>{{111, 1}, {141, 1}}));
}

BOOST_AUTO_TEST_CASE(a_turned_picture_counts_as_a_viewer_shows_it) {
  add(3000, 2000, 6);
  BOOST_CHECK((aspects() == std::vector<AspectBin>{{60, 1}}));
}

BOOST_AUTO_TEST_CASE(stored_bytes_are_the_sum_of_lengths) {
  add(8, 8);
  add(8, 8);
  BOOST_TEST(tally.stored_bytes() == 20u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
