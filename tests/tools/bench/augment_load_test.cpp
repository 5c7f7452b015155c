#include "tools/bench/augment_load.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

namespace penstock::tools::bench {
namespace {

/// Differences of one sample in levels of 0 to 255.
struct Levels {
  double mean = 0;
  double share_above_two = 0;
};

Levels difference(const std::vector<float>& ours, std::span<const float> theirs) {
  constexpr double kGain = 1 / (0.225 * 255);  // the middle of the three channels'
  Levels levels;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double off = std::abs(ours[i] - theirs[i]) / kGain;
    levels.mean += off / static_cast<double>(ours.size());
    if (off > 2) levels.share_above_two += 1 / static_cast<double>(ours.size());
  }
  return levels;
}

BOOST_AUTO_TEST_SUITE(augment_load)

// OpenCV blends in fixed point and rounds to bytes, and its positions are 32nds of a pixel: with a
// noise of 16 levels half a level on average. A window's edge pixels it repeats, the pass blends with
// what lies beyond: at most four lines of 224.
BOOST_AUTO_TEST_CASE(opencv_does_the_same_work) {
  for (const AugmentRow& row : augment_rows()) {
    for (const PixelLayout layout : {PixelLayout::kNchw, PixelLayout::kNhwc}) {
      AugmentLoad load(row, layout, 2);
      BOOST_TEST(load.num_samples() == row.num_samples);
      for (std::size_t i = 0; i < std::min<std::size_t>(load.num_samples(), 16); ++i) {
        const std::span<const float> place = load.transform(i);
        const std::vector<float> ours(place.begin(), place.end());
        const Levels levels = difference(ours, load.opencv(i));
        BOOST_TEST(levels.mean < 0.6, row.name << ", sample " << i << ": " << levels.mean);
        BOOST_TEST(levels.share_above_two < 0.02,
                   row.name << ", sample " << i << ": " << levels.share_above_two);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(samples_differ_and_places_are_taken_in_turn) {
  AugmentLoad load(augment_row_named("pad-crop"), PixelLayout::kNchw, 2);
  const std::span<const float> first = load.transform(0);
  const std::vector<float> kept(first.begin(), first.end());
  const std::span<const float> second = load.transform(1);
  BOOST_TEST(first.data() != second.data());
  BOOST_TEST(!std::ranges::equal(first, second));
  load.plan(0);
  const std::span<const float> again = load.transform(0);
  BOOST_TEST(again.data() == first.data());
  BOOST_TEST(std::ranges::equal(again, kept));
  BOOST_TEST(load.copy(0).data() == second.data());
  BOOST_TEST(std::ranges::all_of(second, [](float v) { return v == 1.0f; }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
