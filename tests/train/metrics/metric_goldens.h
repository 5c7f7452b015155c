// Batches as scikit-learn measured them, whole or cut.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include "tests/golden_file.h"
#include "train/metrics/class_scores.h"
#include "train/metrics/target_scores.h"

namespace penstock::train {

inline std::vector<tests::GoldenCase> metric_goldens(std::string_view prefix) {
  return tests::read_goldens(PENSTOCK_METRICS_GOLDENS, prefix);
}

/// Samples of a case, with ids from 100 on.
struct ScoredSamples {
  explicit ScoredSamples(const tests::GoldenCase& golden)
      : scores(golden.values_or_none<float>("scores")),
        class_idx(golden.values_or_none<std::uint32_t>("labels")),
        targets(golden.values_or_none<float>("targets")),
        weights(golden.values_or_none<float>("weights")) {
    num_outputs = static_cast<std::uint32_t>(golden.number(
        golden.has("num_classes") ? "num_classes"
                                  : (golden.has("num_labels") ? "num_labels" : "num_outputs")));
    ids.resize(scores.size() / num_outputs);
    std::iota(ids.begin(), ids.end(), std::uint64_t{100});
  }

  std::size_t size() const { return ids.size(); }
  ClassScores classes(std::size_t first, std::size_t num) const {
    return {.scores = part(scores, first, num, num_outputs),
            .class_idx = std::span(class_idx).subspan(first, num),
            .weights = part(weights, first, num, 1),
            .sample_ids = std::span(ids).subspan(first, num)};
  }
  TargetScores with_targets(std::size_t first, std::size_t num) const {
    return {.scores = part(scores, first, num, num_outputs),
            .targets = part(targets, first, num, num_outputs),
            .weights = part(weights, first, num, 1),
            .sample_ids = std::span(ids).subspan(first, num)};
  }

  std::vector<float> scores;
  std::vector<std::uint32_t> class_idx;
  std::vector<float> targets;
  std::vector<float> weights;
  std::vector<std::uint64_t> ids;
  std::uint32_t num_outputs = 0;

 private:
  static std::span<const float> part(const std::vector<float>& values, std::size_t first,
                                     std::size_t num, std::size_t width) {
    if (values.empty()) return {};
    return std::span(values).subspan(first * width, num * width);
  }
};

/// Calls `use(first, num)` for batches of `batch` samples, the last one shorter.
template <class Use>
void for_batches(std::size_t num_samples, std::size_t batch, Use&& use) {
  for (std::size_t first = 0; first < num_samples; first += batch) {
    use(first, std::min(batch, num_samples - first));
  }
}

}  // namespace penstock::train
