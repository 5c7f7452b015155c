#include "train/metrics/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace penstock::train {

void Calibration::add(const Prediction& prediction) {
  const double place = std::ceil(prediction.probability * static_cast<double>(kNumBins)) - 1.0;
  const double last = static_cast<double>(kNumBins) - 1.0;
  Bin& bin = bins_[static_cast<std::size_t>(std::clamp(place, 0.0, last))];
  ++bin.num_samples;
  bin.num_correct += prediction.is_correct ? 1 : 0;
  bin.probability_sum += prediction.probability;
}

void Calibration::merge(const Calibration& other) {
  for (std::size_t i = 0; i < kNumBins; ++i) {
    bins_[i].num_samples += other.bins_[i].num_samples;
    bins_[i].num_correct += other.bins_[i].num_correct;
    bins_[i].probability_sum += other.bins_[i].probability_sum;
  }
}

double Calibration::expected_error() const {
  std::uint64_t num_samples = 0;
  double distance_sum = 0;  // a bin's |accuracy - probability| times its samples
  for (const Bin& bin : bins_) {
    num_samples += bin.num_samples;
    distance_sum += std::abs(static_cast<double>(bin.num_correct) - bin.probability_sum);
  }
  return num_samples > 0 ? distance_sum / static_cast<double>(num_samples)
                         : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace penstock::train
