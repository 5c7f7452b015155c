#include "augment/mix/mix_draws.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

namespace penstock::augment {
namespace {

constexpr int kNumDraws = 10'000;
constexpr SizePx kOutput{200, 100};

// Batches of 64, epoch after epoch.
Draws draws_of(int batch) {
  return Draws({.seed = 11,
                .epoch = static_cast<std::uint32_t>(batch % 10),
                .position = static_cast<std::uint64_t>(batch / 10) * 64,
                .purpose = DrawPurpose::kBatch});
}

std::vector<MixDraws> draw_many(const AugmentConfig& config) {
  std::vector<MixDraws> all;
  for (int i = 0; i < kNumDraws; ++i) all.push_back(draw_mix(config, kOutput, draws_of(i)));
  return all;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double mean_a = mean_of(a);
  const double mean_b = mean_of(b);
  double ab = 0;
  double aa = 0;
  double bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

std::vector<double> shares_of(double alpha) {
  std::vector<double> shares;
  for (const MixDraws& drawn : draw_many({.mixup = alpha})) {
    BOOST_REQUIRE((drawn.kind == MixKind::kMixup));
    shares.push_back(drawn.share);
  }
  return shares;
}

BOOST_AUTO_TEST_SUITE(mix_draws)

// Of Beta(a, a): mean 1/2, variance 1 / (4 (2a + 1)), fourth central moment 3 / (16 (2a + 1)(2a + 3)).
BOOST_AUTO_TEST_CASE(ten_thousand_shares_have_the_moments_of_the_beta_law) {
  for (const double alpha : {0.2, 1.0, 4.0}) {
    BOOST_TEST_CONTEXT("alpha " << alpha) {
      const std::vector<double> shares = shares_of(alpha);
      const double variance = 1 / (4 * (2 * alpha + 1));
      const double fourth = 3 / (16 * (2 * alpha + 1) * (2 * alpha + 3));
      BOOST_TEST(std::abs(mean_of(shares) - 0.5) < 5 * std::sqrt(variance / kNumDraws));
      std::vector<double> squares;
      for (const double share : shares) {
        BOOST_REQUIRE(share >= 0);
        BOOST_REQUIRE(share <= 1);
        squares.push_back((share - 0.5) * (share - 0.5));
      }
      const double error_of_variance = std::sqrt((fourth - variance * variance) / kNumDraws);
      BOOST_TEST(std::abs(mean_of(squares) - variance) < 5 * error_of_variance,
                 "variance " << mean_of(squares) << ", expected " << variance);
    }
  }
}

// The whole law where it has a formula: the largest distance to it (Kolmogorov, Smirnov) is above
// 2.3 / sqrt(n) once in 20,000 times.
BOOST_AUTO_TEST_CASE(shares_follow_the_whole_law_where_it_has_a_formula) {
  struct Law {
    double alpha;
    std::function<double(double)> below;
  };
  const std::vector<Law> laws = {
      {0.5, [](double x) { return 2 / std::numbers::pi * std::asin(std::sqrt(x)); }},
      {1, [](double x) { return x; }},
      {2, [](double x) { return x * x * (3 - 2 * x); }},
      {3, [](double x) { return x * x * x * (10 - 15 * x + 6 * x * x); }}};
  for (const Law& law : laws) {
    std::vector<double> shares = shares_of(law.alpha);
    std::ranges::sort(shares);
    double distance = 0;
    for (int i = 0; i < kNumDraws; ++i) {
      const double expected = law.below(shares[static_cast<std::size_t>(i)]);
      distance = std::max({distance, std::abs(expected - static_cast<double>(i) / kNumDraws),
                           std::abs(expected - (i + 1.0) / kNumDraws)});
    }
    BOOST_TEST(distance < 2.3 / std::sqrt(kNumDraws), "alpha " << law.alpha << ": " << distance);
  }
}

// Beta(0.001, 0.001) is a coin, Beta(1000, 1000) stays within 0.5 +- 0.06 (five standard deviations).
BOOST_AUTO_TEST_CASE(the_ends_of_the_range_of_alpha_give_numbers) {
  int num_middle = 0;
  for (const double share : shares_of(0.001)) {
    BOOST_REQUIRE((share >= 0 && share <= 1));
    num_middle += share > 0.01 && share < 0.99 ? 1 : 0;
  }
  // The density between the ends is about 0.0005 / (x (1 - x)): 0.001 ln 99 of them, 46.
  BOOST_TEST(num_middle < 100);
  for (const double share : shares_of(1000)) BOOST_REQUIRE(std::abs(share - 0.5) < 0.06);
}

BOOST_AUTO_TEST_CASE(with_both_on_each_takes_half_of_the_batches_with_a_law_of_its_own) {
  std::vector<double> is_mixup;
  std::vector<double> first_uniforms;
  std::vector<double> mixup_squares;
  for (const MixDraws& drawn : draw_many({.mixup = 0.2, .cutmix = 1})) {
    is_mixup.push_back(drawn.kind == MixKind::kMixup ? 1 : 0);
    first_uniforms.push_back(draws_of(static_cast<int>(first_uniforms.size())).uniform(0, 0));
    if (drawn.kind == MixKind::kMixup) {
      mixup_squares.push_back((drawn.share - 0.5) * (drawn.share - 0.5));
      BOOST_TEST((drawn.box == RectPx{}));
    }
  }
  BOOST_TEST(std::abs(mean_of(is_mixup) - 0.5) < 0.025);           // five standard errors
  BOOST_TEST(std::abs(mean_of(mixup_squares) - 1 / 5.6) < 0.007);  // alpha 0.2, not cutmix's 1
  BOOST_TEST(std::abs(correlation(is_mixup, first_uniforms)) < 0.05);
  // One batch's says nothing of the next one's.
  const std::vector<double> next(is_mixup.begin() + 1, is_mixup.end());
  BOOST_TEST(std::abs(correlation({is_mixup.begin(), is_mixup.end() - 1}, next)) < 0.05);
  for (const MixDraws& drawn : draw_many({.cutmix = 1})) {
    BOOST_REQUIRE((drawn.kind == MixKind::kCutmix));
  }
}

// The arithmetic of torchvision.transforms.v2.CutMix.make_params (0.17), with the draws given.
BOOST_AUTO_TEST_CASE(boxes_are_torchvisions) {
  int num_cut_off = 0;
  int num_empty = 0;
  for (int i = 0; i < kNumDraws; ++i) {
    const Draws draws = draws_of(i);
    const MixDraws drawn = draw_mix({.cutmix = 1}, kOutput, draws);
    const double lam = symmetric_beta(1, draws, MixBlock::kCutmixShare);
    const int W = 200;
    const int H = 100;
    const int r_x = static_cast<int>(draws.uniform(3, 0) * W);
    const int r_y = static_cast<int>(draws.uniform(3, 1) * H);
    const double r = 0.5 * std::sqrt(1.0 - lam);
    const int r_w_half = static_cast<int>(r * W);
    const int r_h_half = static_cast<int>(r * H);
    const int x1 = std::clamp(r_x - r_w_half, 0, W);
    const int y1 = std::clamp(r_y - r_h_half, 0, H);
    const int x2 = std::clamp(r_x + r_w_half, 0, W);
    const int y2 = std::clamp(r_y + r_h_half, 0, H);
    const RectPx expected{static_cast<std::uint32_t>(x1), static_cast<std::uint32_t>(y1),
                          static_cast<std::uint32_t>(x2 - x1), static_cast<std::uint32_t>(y2 - y1)};
    BOOST_REQUIRE((drawn.box == expected));
    BOOST_REQUIRE(drawn.share == 1.0 - static_cast<double>((x2 - x1) * (y2 - y1)) / (W * H));
    num_cut_off += x2 - x1 < 2 * r_w_half || y2 - y1 < 2 * r_h_half ? 1 : 0;
    num_empty += expected.width == 0 || expected.height == 0 ? 1 : 0;
  }
  BOOST_TEST(num_cut_off > kNumDraws / 2);  // most of them, with alpha 1
  BOOST_TEST(num_empty > 0);
}

// Of a square of side 1 and a box of side s = sqrt(1 - lambda) about an even centre, each edge cuts off
// s^2 / 8 of a side on average, so the area left is (s - s^2 / 4)^2. With alpha 1, s has the density 2 s.
BOOST_AUTO_TEST_CASE(boxes_cover_the_share_of_the_area_that_the_law_gives) {
  double covered = 0;
  for (const MixDraws& drawn : draw_many({.cutmix = 1})) covered += (1 - drawn.share) / kNumDraws;
  // E[(s - s^2/4)^2] = E[s^2] - E[s^3]/2 + E[s^4]/16 with E[s^n] = 2 / (n + 2).
  const double expected = 2.0 / 4 - 2.0 / 5 / 2 + 2.0 / 6 / 16;
  BOOST_TEST(std::abs(covered - expected) < 0.02, covered << ", expected " << expected);
}

BOOST_AUTO_TEST_CASE(each_value_comes_from_its_block_of_the_table) {
  BOOST_TEST(static_cast<int>(MixBlock::kMixupShare) == 0);
  BOOST_TEST(static_cast<int>(MixBlock::kCutmixShare) == 1);
  BOOST_TEST(static_cast<int>(MixBlock::kChoice) == 2);
  BOOST_TEST(static_cast<int>(MixBlock::kBoxCentre) == 3);
  int num_mixup = 0;
  for (int i = 0; i < 100; ++i) {
    const Draws draws = draws_of(i);
    const MixDraws drawn = draw_mix({.mixup = 1, .cutmix = 1}, kOutput, draws);
    BOOST_TEST((drawn.kind == MixKind::kMixup) == (draws.uniform(2, 0) < 0.5));
    if (drawn.kind != MixKind::kMixup) continue;
    ++num_mixup;
    // Beta(1, 1) as a point on a circle: t = sqrt(2 (1/u - 1)) cos(2 pi v).
    const double t = std::sqrt(2 * (1 / draws.uniform(0, 0) - 1)) *
                     std::cos(2 * std::numbers::pi * draws.uniform(0, 1));
    BOOST_TEST(drawn.share == (1 + t / std::sqrt(2 + t * t)) / 2,
               boost::test_tools::tolerance(1e-9));
  }
  BOOST_TEST(num_mixup > 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock::augment
