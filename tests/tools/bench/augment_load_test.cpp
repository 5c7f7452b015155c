#include "tools/bench/augment_load.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <opencv2/core.hpp>

namespace penstock::tools::bench {
namespace {

/// Differences of one sample in levels of 0 to 255.
struct Levels {
  double mean = 0;
  double share_above_two = 0;
};

/// The values of a place.
std::vector<float> values_of(std::span<const std::byte> place, ElementType element) {
  const auto count = static_cast<int>(place.size() / element_bytes(element));
  const int depth = element == ElementType::kUint8     ? CV_8U
                    : element == ElementType::kFloat16 ? CV_16F
                                                       : CV_32F;
  std::vector<float> values(static_cast<std::size_t>(count));
  cv::Mat(1, count, depth, const_cast<std::byte*>(place.data()))
      .convertTo(cv::Mat(1, count, CV_32F, values.data()), CV_32F);
  return values;
}

Levels difference(const std::vector<float>& ours, const std::vector<float>& theirs,
                  ElementType element) {
  // Of three channels the middle one's.
  const double gain = element == ElementType::kUint8 ? 1 : 1 / (0.225 * 255);
  Levels levels;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double off = std::abs(ours[i] - theirs[i]) / gain;
    levels.mean += off / static_cast<double>(ours.size());
    if (off > 2) levels.share_above_two += 1 / static_cast<double>(ours.size());
  }
  return levels;
}

BOOST_AUTO_TEST_SUITE(augment_load)

// OpenCV blends in fixed point and rounds to bytes, and its positions are 32nds of a pixel: with a
// noise of 16 levels half a level on average. A window's edge pixels it repeats, the pass blends with
// what lies beyond: at most four lines of 224. Jitter stretches these differences by its factors, up to
// 1.4 each, and the hue of what is nearly gray is steep. INTER_AREA takes the mean of a box where the
// triangle is twice as wide, which leaves a level of that noise, and its cubic
// is another one (a = -0.75).
Levels most_of(const AugmentRow& row) {
  if (row.config.interpolation != augment::Interpolation::kBilinear) return {1.5, 0.15};
  if (row.config.hue_range > 0) return {1.5, 0.1};
  return row.config.contrast_range != augment::DrawRange{} ? Levels{1, 0.02} : Levels{0.6, 0.02};
}

BOOST_AUTO_TEST_CASE(opencv_does_the_same_work) {
  for (const AugmentRow& row : augment_rows()) {
    for (const PixelLayout layout : {PixelLayout::kNchw, PixelLayout::kNhwc}) {
      AugmentLoad load(row, layout, 2);
      BOOST_TEST(load.num_samples() == row.num_samples);
      if (row.chain == nullptr) continue;
      const Levels most = most_of(row);
      for (std::size_t i = 0; i < std::min<std::size_t>(load.num_samples(), 16); ++i) {
        const std::vector<float> ours = values_of(load.transform(i), row.element);
        const Levels levels = difference(ours, values_of(load.opencv(i), row.element), row.element);
        BOOST_TEST(levels.mean < most.mean, row.name << ", sample " << i << ": " << levels.mean);
        BOOST_TEST(levels.share_above_two < most.share_above_two,
                   row.name << ", sample " << i << ": " << levels.share_above_two);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(samples_differ_and_places_are_taken_in_turn) {
  AugmentLoad load(augment_row_named("pad-crop"), PixelLayout::kNchw, 2);
  const std::span<const std::byte> first = load.transform(0);
  const std::vector<std::byte> kept(first.begin(), first.end());
  const std::span<const std::byte> second = load.transform(1);
  BOOST_TEST(first.data() != second.data());
  BOOST_TEST(!std::ranges::equal(first, second));
  load.plan(0);
  const std::span<const std::byte> again = load.transform(0);
  BOOST_TEST(again.data() == first.data());
  BOOST_TEST(std::ranges::equal(again, kept));
  BOOST_TEST(load.copy(0).data() == second.data());
  BOOST_TEST(std::ranges::all_of(second, [](std::byte v) { return v == std::byte{1}; }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::tools::bench
