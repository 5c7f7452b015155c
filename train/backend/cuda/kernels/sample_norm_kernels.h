// Group norm, layer norm and softmax: their sums stay within a sample or a place of one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/device_status.h"
#include "train/backend/cuda/kernels/value_type.h"

namespace penstock::train::cuda {

/// Over the channels of each row.
struct LayerNormForward {
  ValueType type;
  std::size_t num_rows;
  std::uint32_t channels;
  double epsilon;
  const void* x;
  const float* scale;
  const float* shift;
  void* y;  // may be x
};
DeviceStatus layer_norm_forward(const LayerNormForward& args, Stream stream);

/// Statistics are computed again from x.
///
/// Shapes  partials: [num_layer_norm_parts, 2, channels]
struct LayerNormBackward {
  ValueType type;
  std::size_t num_rows;
  std::uint32_t channels;
  double epsilon;
  const void* x;
  const float* scale;
  const void* dy;
  float* partials;
  void* dx;       // or null; may be x or dy
  float* dscale;  // or null
  float* dshift;  // or null
};
DeviceStatus layer_norm_backward(const LayerNormBackward& args, Stream stream);
std::uint32_t num_layer_norm_parts(std::size_t num_rows);

/// Over all places of the channels of one group, sample by sample.
///
/// Shapes  factors: [samples, groups, 2]: mean and 1 / deviation, kept for the backward pass
struct GroupNormForward {
  ValueType type;
  std::size_t samples;
  std::size_t places;
  std::uint32_t channels;
  std::uint32_t groups;
  double epsilon;
  const void* x;
  const float* scale;
  const float* shift;
  float* factors;
  void* y;  // may be x
};
DeviceStatus group_norm_forward(const GroupNormForward& args, Stream stream);

/// Shapes  sums: [samples, 2, channels]: scratch
struct GroupNormBackward {
  ValueType type;
  std::size_t samples;
  std::size_t places;
  std::uint32_t channels;
  std::uint32_t groups;
  const void* x;
  const float* scale;
  const float* factors;
  const void* dy;
  float* sums;
  void* dx;       // or null; may be x or dy
  float* dscale;  // or null
  float* dshift;  // or null
};
DeviceStatus group_norm_backward(const GroupNormBackward& args, Stream stream);

/// Over the channels of each row.
struct Softmax {
  ValueType type;
  std::size_t num_rows;
  std::uint32_t channels;
  const void* x;
  void* y;  // may be x
};
DeviceStatus softmax_forward(const Softmax& args, Stream stream);

struct SoftmaxBackward {
  ValueType type;
  std::size_t num_rows;
  std::uint32_t channels;
  const void* y;  // what the forward pass gave
  const void* dy;
  void* dx;  // may be dy
};
DeviceStatus softmax_backward(const SoftmaxBackward& args, Stream stream);

}  // namespace penstock::train::cuda
