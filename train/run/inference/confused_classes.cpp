#include "train/run/inference/confused_classes.h"

#include <algorithm>
#include <tuple>

namespace penstock::train {
namespace {

bool comes_first(const ConfusedClasses& a, const ConfusedClasses& b) {
  return std::tuple(b.num_samples, a.pair.actual_idx, a.pair.predicted_idx) <
         std::tuple(a.num_samples, b.pair.actual_idx, b.pair.predicted_idx);
}

}  // namespace

std::vector<ConfusedClasses> most_confused(const ConfusionMatrix& confusion, std::size_t limit) {
  std::vector<ConfusedClasses> worst;  // a heap: the least confused on top
  if (!confusion.is_dense() || limit == 0) return worst;
  for (std::uint32_t actual = 0; actual < confusion.num_classes(); ++actual) {
    for (std::uint32_t predicted = 0; predicted < confusion.num_classes(); ++predicted) {
      const ClassPair pair{actual, predicted};
      const ConfusedClasses one{pair, confusion.count(pair)};
      if (actual == predicted || one.num_samples == 0) continue;
      if (worst.size() == limit) {
        if (!comes_first(one, worst.front())) continue;
        std::ranges::pop_heap(worst, comes_first);
        worst.pop_back();
      }
      worst.push_back(one);
      std::ranges::push_heap(worst, comes_first);
    }
  }
  std::ranges::sort(worst, comes_first);
  return worst;
}

}  // namespace penstock::train
