// The optimizer's step over all parameters of a program at once, by the rules of train/optim, and what surrounds
// it: sums of gradients over micro-batches, running statistics that a bad step puts back. Nothing here waits for
// the host: whether a step is finite is decided on the device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/device_status.h"
#include "train/backend/cuda/kernels/step_block.h"
#include "train/backend/cuda/kernels/value_type.h"
#include "train/optim/optimizer_scalars.h"

namespace penstock::train::cuda {

/// A parameter that learns, as kernels see it; a list of them lies on the device. Padding is 0 and stays so.
struct UpdateTensorBlock {
  std::uint64_t num_elements = 0;
  float* weight = nullptr;
  void* gradient = nullptr;  // of gradient_type; lamb leaves its directions in `direction`
  float* state[2] = {};      // in the order of state_names(); null where there are fewer
  float* ema = nullptr;      // or null
  void* copy = nullptr;      // of copy_type: the weight as products read it; or null
  float* direction =
      nullptr;  // lamb: scratch of num_elements; may be `gradient` when that is float32
  std::uint64_t* num_steps = nullptr;
  ParamRates rates{};
  ValueType gradient_type = ValueType::kFloat32;
  ValueType copy_type = ValueType::kFloat32;
};

/// Running statistics of one norm, and what they were before the step.
struct StatisticsBlock {
  std::uint64_t num_elements = 0;
  float* running = nullptr;
  float* before_step = nullptr;
};

/// A piece of a tensor that one block of threads works on; a list of them lies on the device.
struct TensorPiece {
  std::uint32_t tensor_idx = 0;
  std::uint32_t num_elements = 0;
  std::uint64_t first_element = 0;
};
/// Elements of a piece, at most: a tensor is cut into pieces of so many.
inline constexpr std::uint32_t kPieceElements = 16384;

/// OptimizerScalars of one tensor, and LAMB's rate of it: made by the update, on the device.
struct TensorScalars {
  OptimizerScalars scalars{};
  double lamb_rate = 0;
};

/// What the settings of loss scaling are; growth_interval 0: the scale stays.
struct ScalerRule {
  float growth_factor = 2.0f;
  float backoff_factor = 0.5f;
  float max_scale = 65536.0f;
  std::uint32_t growth_interval = 0;
};

/// One step: unscales, finds the norm of all gradients and whether all is finite, clips, moves weights, states and
/// means, writes the copies that products read, counts the step, moves the loss scale. A step that is not finite
/// changes nothing but the loss scale, and puts running statistics back.
///
/// Shapes  tensors: [num_tensors]; pieces: [num_pieces], in the order of tensors and elements;
///         piece_sums: [num_pieces, 2] scratch; tensor_scalars: [num_tensors] scratch
struct OptimizerUpdate {
  OptimizerConfig config;  // plain values
  const UpdateTensorBlock* tensors;
  std::uint32_t num_tensors;
  const TensorPiece* pieces;
  std::uint32_t num_pieces;
  const StatisticsBlock* statistics;
  std::uint32_t num_statistics;
  const StepBlock* step;
  ScalerBlock* scaler;
  ScalerRule scaler_rule;
  double* piece_sums;
  TensorScalars* tensor_scalars;
  UpdateReportBlock* report;
};
DeviceStatus optimizer_update(const OptimizerUpdate& args, Stream stream);

/// Keeps what running statistics are before a step, or puts them back.
struct StatisticsCopy {
  const StatisticsBlock* statistics;
  std::uint32_t num_statistics;
  bool puts_back;
  ScalerBlock* scaler;  // has_bad_loss becomes 0
};
DeviceStatus copy_statistics(const StatisticsCopy& args, Stream stream);

/// sum = gradient, or sum += gradient, for every tensor.
struct GradientSumBlock {
  std::uint64_t num_elements = 0;
  const void* gradient = nullptr;
  float* sum = nullptr;
  ValueType gradient_type = ValueType::kFloat32;
};
struct AddGradients {
  const GradientSumBlock* tensors;  // device memory
  const TensorPiece* pieces;
  std::uint32_t num_pieces;
  bool adds;
};
DeviceStatus add_gradients(const AddGradients& args, Stream stream);

/// Writes the copies of weights that products read, after weights were set from outside.
struct RefreshCopies {
  const UpdateTensorBlock* tensors;
  const TensorPiece* pieces;
  std::uint32_t num_pieces;
  bool reads_ema;  // copies are of the means
};
DeviceStatus refresh_copies(const RefreshCopies& args, Stream stream);

}  // namespace penstock::train::cuda
