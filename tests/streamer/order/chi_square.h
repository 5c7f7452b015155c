// Pearson's test, for draws that should follow given shares.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

namespace penstock::tests {

/// Sum of (found - expected)^2 / expected. `shares` add up to 1; none is 0.
inline double chi_square(std::span<const std::uint64_t> counts, std::span<const double> shares) {
  double num_draws = 0;
  for (const std::uint64_t count : counts) num_draws += static_cast<double>(count);
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = num_draws * shares[i];
    const double difference = static_cast<double>(counts[i]) - expected;
    sum += difference * difference / expected;
  }
  return sum;
}

/// What chi-square stays below with probability 1 - 1e-6.
///
/// Source  Wilson and Hilferty, The distribution of chi-square (PNAS 17, 1931); 4.7534 is the
///         normal quantile
inline double chi_square_bound(std::size_t num_degrees) {
  const auto k = static_cast<double>(num_degrees);
  return k * std::pow(1 - 2 / (9 * k) + 4.7534 * std::sqrt(2 / (9 * k)), 3);
}

}  // namespace penstock::tests
