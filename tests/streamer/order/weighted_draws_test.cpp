#include "streamer/order/weighted_draws.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "streamer/core/draws.h"
#include "streamer/core/error.h"
#include "tests/streamer/order/chi_square.h"

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(weighted_draws)

using Weights = std::vector<float>;

WeightedDraws draws_of(const Weights& weights) {
  return WeightedDraws(std::make_shared<const Weights>(weights));
}

// From a script in Python, with Philox as in its paper and inversion sample by sample.
BOOST_AUTO_TEST_CASE(draws_are_those_of_inversion_by_philox) {
  const WeightedDraws draws = draws_of({1, 0, 3, 4});
  const std::vector<std::uint64_t> expected = {2, 2, 0, 2, 0, 2, 3, 3, 3, 2, 3, 0};
  for (std::uint64_t p = 0; p < expected.size(); ++p) {
    BOOST_TEST(draws.sample_for({.seed = 11, .epoch = 2, .position = p}) == expected[p]);
  }
}

// Whole numbers, so that no sum is rounded and both must agree at every draw.
Weights whole_weights(std::uint64_t seed) {
  const auto words = Draws({.seed = seed}).block(1);
  Weights weights(1 + words[0] % 700);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto draw = Draws({.seed = seed, .position = i}).block(0);
    weights[i] = draw[0] % 4 == 0 ? 0.0f : static_cast<float>(draw[1] % 1000);
    if (draw[2] % 50 == 0) weights[i] = static_cast<float>(draw[3] % (1u << 24));  // a giant
  }
  weights[words[1] % weights.size()] = 1;
  return weights;
}

BOOST_AUTO_TEST_CASE(draws_equal_those_of_the_slow_twin) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Weights weights = whole_weights(seed);
    const WeightedDraws draws = draws_of(weights);
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::uint64_t p = 0; p < 500; ++p) {
      BOOST_TEST_INFO("seed " << seed << ", position " << p);
      const Draws place({.seed = seed, .epoch = 1, .position = p, .purpose = DrawPurpose::kDraw});
      const double target = place.uniform(0) * total;
      double sum = 0;
      std::uint64_t expected = 0;
      while ((sum += static_cast<double>(weights[expected])) <= target) ++expected;
      BOOST_REQUIRE(draws.sample_for({.seed = seed, .epoch = 1, .position = p}) == expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(samples_come_as_often_as_their_weights_say) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Weights weights(100);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights[i] = 0.01f * static_cast<float>(1 + (i * (seed + 1)) % 13);
    }
    double total = 0;
    for (const float weight : weights) total += static_cast<double>(weight);
    std::vector<double> shares;
    for (const float weight : weights) shares.push_back(static_cast<double>(weight) / total);
    const WeightedDraws draws = draws_of(weights);
    std::vector<std::uint64_t> counts(weights.size(), 0);
    for (std::uint64_t p = 0; p < 100'000; ++p) {
      ++counts[draws.sample_for({.seed = seed, .epoch = 3, .position = p})];
    }
    const double found = tests::chi_square(counts, shares);
    BOOST_TEST_MESSAGE("seed " << seed << ": chi-square " << found << ", below "
                               << tests::chi_square_bound(99));
    BOOST_TEST(found < tests::chi_square_bound(99));
  }
}

BOOST_AUTO_TEST_CASE(a_weight_of_zero_is_never_drawn_however_far_apart_the_others_are) {
  Weights weights(200, 0.0f);
  for (std::size_t i = 3; i < 150; i += 7) {
    weights[i] = i % 2 == 0 ? std::numeric_limits<float>::max() : 1e-45f;
  }
  const WeightedDraws draws = draws_of(weights);
  for (std::uint64_t p = 0; p < 20'000; ++p) {
    const std::uint64_t sample = draws.sample_for({.seed = 1, .position = p});
    BOOST_REQUIRE(sample < weights.size());
    BOOST_REQUIRE(weights[sample] > 0.0f);
  }
}

std::string message_of(const Weights& weights, std::uint64_t num_samples) {
  try {
    check_sample_weights(weights, num_samples);
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::kInvalidArgument));
    return error.what();
  }
  return {};
}

BOOST_AUTO_TEST_CASE(weights_that_nothing_can_be_drawn_by_are_refused) {
  BOOST_TEST(message_of({1, 2}, 3) ==
             "loader: sample_weights: expected 3 weights, one for each sample of the split, "
             "found 2");
  const std::string expected = "loader: sample_weights: expected finite numbers of at least 0, ";
  BOOST_TEST(message_of({1, -0.5f}, 2) == expected + "found -0.5 for sample 1");
  BOOST_TEST(message_of({NAN, 1}, 2) == expected + "found nan for sample 0");
  BOOST_TEST(message_of({1, INFINITY}, 2) == expected + "found inf for sample 1");
  BOOST_TEST(message_of({0, 0}, 2) ==
             "loader: sample_weights: expected a weight above 0, found none");
  BOOST_TEST(message_of({0, 1}, 2) == "");
}

BOOST_AUTO_TEST_CASE(the_price_is_a_little_over_4_bytes_a_sample) {
  // 31,250 blocks of 32: 8 bytes for the sum, 4 for the guide, and one guide more.
  BOOST_TEST(WeightedDraws::price_bytes(1'000'000) == 4'000'000u + 31'250u * 12 + 4);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
