// What several rounds of one measurement came to.
#pragma once

#include <algorithm>
#include <vector>

namespace penstock::tools::bench {

struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
};

/// Returns the median and the extremes; of an even number of values the mean of the middle two.
inline Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {.median = median, .low = values.front(), .high = values.back()};
}

}  // namespace penstock::tools::bench
