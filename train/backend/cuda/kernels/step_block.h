// The numbers of a step that change from one to the next, as kernels read them on the device: one block, copied
// before the step's work, so that a captured graph stays as it is.
#pragma once

#include <cstdint>

namespace penstock::train::cuda {

/// Of one run: StepScalars on the device.
struct StepBlock {
  double learning_rate = 0;
  double gradient_scale = 1;
  std::uint64_t step = 0;
  std::uint64_t seed = 0;
  float inv_weight_sum = 0;
  std::uint32_t first_place = 0;  // of the run's first sample in the step: keys dropout
};

/// What a set of parameters keeps on the device between steps, and what a step has come to so far.
struct ScalerBlock {
  float loss_scale = 1;              // gradients going back are multiplied by it; 1 but for float16
  std::uint32_t num_good_steps = 0;  // finite ones since the scale last changed
  std::uint32_t has_bad_loss = 0;    // a loss or a statistic of the step under way is no number
  std::uint32_t reserved = 0;
};

/// StepReport on the device.
struct RunReportBlock {
  std::uint64_t step = 0;
  double weighted_loss_sum = 0;
  double weight_sum = 0;
  std::uint32_t num_counted = 0;
  std::uint32_t num_correct = 0;
  std::uint32_t is_finite = 1;
  std::uint32_t reserved = 0;
};

/// UpdateReport on the device.
struct UpdateReportBlock {
  std::uint64_t step = 0;
  double gradient_norm = 0;
  float loss_scale = 1;  // that the step had
  std::uint32_t is_finite = 1;
};

}  // namespace penstock::train::cuda
