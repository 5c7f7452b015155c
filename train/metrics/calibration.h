// Whether a network is right as often as it is sure: predictions in bins of their probability.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace penstock::train {

/// The probability of the predicted class, 0 to 1, and whether it was the label.
struct Prediction {
  double probability = 0;
  bool is_correct = false;
};

/// Expected calibration error over equal-width bins of the probability of the predicted class.
///
/// Source  Guo et al. 2017, On Calibration of Modern Neural Networks, section 2: bin m of M holds
///         probabilities above (m - 1) / M up to m / M
class Calibration {
 public:
  /// Guo et al. 2017, section 5.
  static constexpr std::size_t kNumBins = 15;

  struct Bin {
    std::uint64_t num_samples = 0;
    std::uint64_t num_correct = 0;
    double probability_sum = 0;
  };

  void add(const Prediction& prediction);
  void merge(const Calibration& other);

  /// Mean distance of accuracy and probability, each bin weighing its samples; NaN for no samples.
  double expected_error() const;
  std::span<const Bin> bins() const { return bins_; }

 private:
  std::array<Bin, kNumBins> bins_ = {};
};

}  // namespace penstock::train
