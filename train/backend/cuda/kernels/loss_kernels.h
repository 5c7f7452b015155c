// The losses of train/loss over a batch of scores, and their gradients.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/device_status.h"
#include "train/backend/cuda/kernels/step_block.h"
#include "train/backend/cuda/kernels/value_type.h"

namespace penstock::train::cuda {

/// The order of LossKind (train/loss/loss_spec.h), without those of a user.
enum class KernelLoss : std::uint8_t {
  kSoftmaxCrossEntropy,
  kSoftmaxFocal,
  kBinaryCrossEntropy,
  kBinaryFocal,
  kMeanSquaredError,
  kMeanAbsoluteError,
};

/// LossSpec on the device; its lists are device memory, or null where the spec has none.
struct DeviceLoss {
  KernelLoss kind;
  float label_smoothing;
  float focal_gamma;
  const float* class_weights;     // [outputs]
  const float* positive_weights;  // [num_positive_weights]
  std::uint32_t num_positive_weights;
  const float* focal_alpha;  // [num_focal_alpha]
  std::uint32_t num_focal_alpha;
};

/// Labels of a batch on the device.
struct DeviceLabels {
  const std::uint32_t* class_idx;  // [batch]
  const float* weights;            // [batch]
  const float* targets;            // [batch, outputs], or null: class indices
};

/// Writes the sums of StepReport (the first `batch` samples), and sets ScalerBlock::has_bad_loss when the loss is
/// no number. Sums are double, in one order.
///
/// Shapes  scores: [batch, outputs]
struct LossForward {
  DeviceLoss loss;
  std::uint32_t batch;
  std::uint32_t outputs;
  ValueType score_type;
  const void* scores;
  DeviceLabels labels;
  const StepBlock* step;
  double* sample_sums;           // [batch, 2]: scratch, weighted loss and weight
  std::uint32_t* sample_counts;  // [batch, 2]: scratch, counted and correct
  RunReportBlock* report;
  ScalerBlock* scaler;  // or null: evaluation
};
DeviceStatus loss_forward(const LossForward& args, Stream stream);

/// dscores = loss_scale * inv_weight_sum * d (weighted sum of losses) / d scores; 0 for samples that do not count.
struct LossBackward {
  DeviceLoss loss;
  std::uint32_t batch;
  std::uint32_t outputs;
  ValueType score_type;
  const void* scores;
  DeviceLabels labels;
  const StepBlock* step;
  const ScalerBlock* scaler;
  ValueType gradient_type;
  void* dscores;
};
DeviceStatus loss_backward(const LossBackward& args, Stream stream);

}  // namespace penstock::train::cuda
