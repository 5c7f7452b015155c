// The passes of batch norm over NHWC values: rows are the places of all samples. Sums are cut into parts that the
// row count alone decides, and added up in one order: the same bits every time.
//
//     channel_moments -> batch_statistics -> affine_forward                          forward, training
//     running_statistics -> affine_forward                                           forward, statistics given
//     affine_backward_sums -> norm_gradients -> affine_backward                      backward
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/device_status.h"
#include "train/backend/cuda/kernels/activation_kernels.h"
#include "train/backend/cuda/kernels/value_type.h"

namespace penstock::train::cuda {

/// [num_rows, channels], contiguous. Kernels take 16 bytes at once where rows are multiples of that and all pointers
/// of the call, factors too, are aligned to it; else value by value, which is slower.
struct ValueRows {
  ValueType type;
  std::size_t num_rows;
  std::uint32_t channels;
};

/// Parts that sums over so many rows are cut into: the first dimension of `partials`.
std::uint32_t num_row_parts(std::size_t num_rows, std::uint32_t channels);

/// For each channel the sums of x - x0 and (x - x0)^2, x0 its value in the first row.
///
/// Shapes  partials: [num_row_parts, 2, channels]
struct ChannelMoments {
  ValueRows rows;
  const void* x;
  float* partials;
};
DeviceStatus channel_moments(const ChannelMoments& args, Stream stream);

/// What a norm does to the values of each channel; all of [channels].
struct ChannelFactors {
  float* mean;
  float* inv_std;
  float* gain;    // scale * inv_std
  float* offset;  // shift - mean * gain
};

/// From the moments: factors, and running statistics as in PyTorch (unbiased variance), unless they are null. Without
/// x the partials are one part, with the sums of x and x^2 themselves: what a convolution's library gives.
struct BatchStatistics {
  ValueRows rows;
  const void* x;  // the first row is read; or null
  const float* partials;
  const float* scale;
  const float* shift;
  double epsilon;
  double momentum;
  float* running_mean;
  float* running_var;
  ChannelFactors factors;
};
DeviceStatus batch_statistics(const BatchStatistics& args, Stream stream);

struct RunningStatistics {
  std::uint32_t channels;
  const float* scale;
  const float* shift;
  double epsilon;
  const float* running_mean;
  const float* running_var;
  ChannelFactors factors;
};
DeviceStatus running_statistics(const RunningStatistics& args, Stream stream);

/// y = activation(gain * x + offset + other).
struct AffineForward {
  ValueRows rows;
  Activation activation;
  const void* x;
  const float* gain;
  const float* offset;
  const void* other;  // or null
  void* y;            // may be x or other
};
DeviceStatus affine_forward(const AffineForward& args, Stream stream);

/// The sums over rows of g and of g * (x - mean), g = dy * slope of the activation. The slope is taken at gain * x
/// + offset; with `y`, what the forward pass gave, it is that of a ReLU: 1 where y > 0.
///
/// Shapes  partials: [num_row_parts, 2, channels]
struct AffineBackwardSums {
  ValueRows rows;
  Activation activation;
  const void* x;
  const void* dy;
  const void* y;  // or null
  ChannelFactors factors;
  float* partials;
};
DeviceStatus affine_backward_sums(const AffineBackwardSums& args, Stream stream);

/// From these sums: the gradients of scale and shift (unless null), and what affine_backward takes. With given
/// statistics (`is_batch` false) slope and level are 0.
struct NormGradients {
  ValueRows rows;
  bool is_batch;
  const float* partials;
  ChannelFactors factors;
  float* dscale;
  float* dshift;
  float* slope;  // [channels]
  float* level;  // [channels]
};
DeviceStatus norm_gradients(const NormGradients& args, Stream stream);

/// dx = gain * g + slope * x + level, and `dother` = g.
struct AffineBackward {
  ValueRows rows;
  Activation activation;
  const void* x;
  const void* dy;
  const void* y;  // or null: as in AffineBackwardSums
  ChannelFactors factors;
  const float* slope;
  const float* level;
  void* dx;      // or null; may be x or dy
  void* dother;  // or null; may be dy or y
};
DeviceStatus affine_backward(const AffineBackward& args, Stream stream);

/// The sum of each channel over all rows, for gradients of biases.
///
/// Shapes  partials: [num_row_parts, 1, channels]; sums: [channels]
struct ChannelSums {
  ValueRows rows;
  const void* values;
  float* partials;
  float* sums;
};
DeviceStatus channel_sums(const ChannelSums& args, Stream stream);

}  // namespace penstock::train::cuda
