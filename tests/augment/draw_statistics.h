// What 10,000 draws come to, for the tests of augment.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

namespace penstock::augment {

inline constexpr int kNumDraws = 10'000;

struct Statistics {
  double mean = 0;
  double lowest = 0;
  double highest = 0;
};

inline Statistics statistics_of(const std::vector<double>& values) {
  Statistics s;
  for (const double v : values) s.mean += v / static_cast<double>(values.size());
  s.lowest = *std::min_element(values.begin(), values.end());
  s.highest = *std::max_element(values.begin(), values.end());
  return s;
}

/// A uniform law on [lo, hi]: the mean within five standard errors, the range nearly filled
/// (a gap of 0.2 % at an end has a chance of 2e-9).
inline void check_uniform(const std::vector<double>& values, double lo, double hi) {
  const Statistics s = statistics_of(values);
  const double standard_error = (hi - lo) / std::sqrt(12.0 * kNumDraws);
  BOOST_TEST(std::abs(s.mean - (lo + hi) / 2) < 5 * standard_error, "mean " << s.mean);
  BOOST_TEST(s.lowest >= lo);
  BOOST_TEST(s.highest <= hi);
  BOOST_TEST(s.lowest < lo + 0.002 * (hi - lo));
  BOOST_TEST(s.highest > hi - 0.002 * (hi - lo));
}

inline double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double mean_a = statistics_of(a).mean;
  const double mean_b = statistics_of(b).mean;
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

}  // namespace penstock::augment
