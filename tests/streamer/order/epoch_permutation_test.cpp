#include "streamer/order/epoch_permutation.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

namespace penstock {
namespace {

BOOST_AUTO_TEST_SUITE(epoch_permutation)

BOOST_AUTO_TEST_CASE(every_sample_comes_exactly_once_for_every_size) {
  for (const std::uint64_t n : {1u, 2u, 3u, 4u, 5u, 15u, 16u, 17u, 63u, 64u, 65u, 1000u, 4097u}) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      BOOST_TEST_INFO("samples " << n << ", seed " << seed);
      const EpochPermutation permutation(n, {.seed = seed, .epoch = 3});
      std::vector<int> seen(n, 0);
      for (std::uint64_t position = 0; position < n; ++position) {
        const std::uint64_t sample = permutation.sample_at(position);
        BOOST_REQUIRE(sample < n);
        ++seen[sample];
      }
      BOOST_REQUIRE(seen == std::vector<int>(n, 1));
    }
  }
}

BOOST_AUTO_TEST_CASE(seeds_and_epochs_give_different_orders) {
  const EpochPermutation a(1000, {.seed = 1, .epoch = 0});
  const EpochPermutation b(1000, {.seed = 2, .epoch = 0});
  const EpochPermutation c(1000, {.seed = 1, .epoch = 1});
  int num_equal_ab = 0;
  int num_equal_ac = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    num_equal_ab += a.sample_at(i) == b.sample_at(i);
    num_equal_ac += a.sample_at(i) == c.sample_at(i);
  }
  // Independent permutations agree in 1 place on average (Poisson); 8 has probability 1e-6.
  BOOST_TEST(num_equal_ab < 8);
  BOOST_TEST(num_equal_ac < 8);
}

BOOST_AUTO_TEST_CASE(samples_land_in_every_tenth_of_the_epoch_equally_often) {
  // Chi-square over (sample decile, position decile), 81 degrees of freedom: 99.99 % below 139
  // (NIST handbook, table of critical values, interpolated).
  constexpr std::uint64_t kNum = 10'000;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    BOOST_TEST_INFO("seed " << seed);
    const EpochPermutation permutation(kNum, {.seed = seed});
    std::array<std::array<double, 10>, 10> counts{};
    for (std::uint64_t i = 0; i < kNum; ++i) ++counts[i / 1000][permutation.sample_at(i) / 1000];
    double chi_square = 0;
    for (const auto& row : counts) {
      for (const double count : row) chi_square += (count - 100) * (count - 100) / 100;
    }
    BOOST_TEST(chi_square < 139);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace penstock
