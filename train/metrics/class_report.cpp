#include "train/metrics/class_report.h"

#include <algorithm>
#include <cstddef>

namespace penstock::train {
namespace {

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

/// Mean of shares, each with a weight.
class MeanShares {
 public:
  void add(const PrecisionRecall& shares, double weight) {
    sum_.precision += weight * shares.precision;
    sum_.recall += weight * shares.recall;
    sum_.f1 += weight * shares.f1;
    weight_sum_ += weight;
  }
  PrecisionRecall mean() const {
    if (!(weight_sum_ > 0)) return {};
    return {sum_.precision / weight_sum_, sum_.recall / weight_sum_, sum_.f1 / weight_sum_};
  }

 private:
  PrecisionRecall sum_;
  double weight_sum_ = 0;
};

bool occurs(const ClassCounts& counts) {
  return counts.num_actual > 0 || counts.num_predicted > 0;
}

}  // namespace

void ClassCounts::merge(const ClassCounts& other) {
  num_actual += other.num_actual;
  num_predicted += other.num_predicted;
  num_correct += other.num_correct;
}

PrecisionRecall precision_recall(const ClassCounts& counts) {
  return {.precision = ratio(counts.num_correct, counts.num_predicted),
          .recall = ratio(counts.num_correct, counts.num_actual),
          .f1 = ratio(2 * counts.num_correct, counts.num_actual + counts.num_predicted)};
}

ClassReport make_class_report(std::span<const ClassCounts> counts, MacroMean macro) {
  ClassReport report;
  report.classes.reserve(counts.size());
  MeanShares macro_mean, weighted_mean;
  ClassCounts all;
  for (const ClassCounts& one : counts) {
    const PrecisionRecall& shares = report.classes.emplace_back(precision_recall(one));
    if (occurs(one) || macro == MacroMean::kAll) macro_mean.add(shares, 1.0);
    weighted_mean.add(shares, static_cast<double>(one.num_actual));
    all.merge(one);
  }
  report.macro = macro_mean.mean();
  report.weighted = weighted_mean.mean();
  report.micro = precision_recall(all);
  return report;
}

std::vector<std::uint32_t> lowest_f1_classes(std::span<const ClassCounts> counts,
                                             std::size_t num_most) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t idx = 0; idx < counts.size(); ++idx) {
    if (occurs(counts[idx])) found.push_back(idx);
  }
  std::ranges::stable_sort(found, {},
                           [&](std::uint32_t idx) { return precision_recall(counts[idx]).f1; });
  found.resize(std::min(found.size(), num_most));
  return found;
}

}  // namespace penstock::train
