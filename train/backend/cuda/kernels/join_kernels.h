// Sums, products, scales and copies of NHWC values.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/device_status.h"
#include "train/backend/cuda/kernels/value_type.h"

namespace penstock::train::cuda {

/// sum = a + b.
struct AddValues {
  ValueType type;
  std::size_t count;
  const void* a;
  const void* b;
  void* sum;  // may be either
};
DeviceStatus add_values(const AddValues& args, Stream stream);

/// product = a * b, of one shape. Going back it gives each side's gradient.
struct MultiplyValues {
  ValueType type;
  std::size_t count;
  const void* a;
  const void* b;
  void* product;  // may be either
};
DeviceStatus multiply_values(const MultiplyValues& args, Stream stream);

/// y[n][p][c] = x[n][p][c] * factor[n][c]: a gate, over [samples, places, channels].
struct GateForward {
  ValueType type;
  std::size_t samples;
  std::size_t places;
  std::uint32_t channels;
  const void* x;
  const void* factor;
  void* y;  // may be x
};
DeviceStatus gate_forward(const GateForward& args, Stream stream);

/// dx = dy * factor, dfactor = the sum over places of dy * x; either may be null.
struct GateBackward {
  ValueType type;
  std::size_t samples;
  std::size_t places;
  std::uint32_t channels;
  const void* x;
  const void* factor;
  const void* dy;
  void* dx;  // may be dy
  void* dfactor;
};
DeviceStatus gate_backward(const GateBackward& args, Stream stream);

/// y[r][c] = x[r][c] * scale[c].
struct ChannelScaleForward {
  ValueType type;
  std::size_t num_rows;
  std::uint32_t channels;
  const void* x;
  const float* scale;
  void* y;  // may be x
};
DeviceStatus channel_scale_forward(const ChannelScaleForward& args, Stream stream);

/// dx = dy * scale; dscale = the sum over rows of dy * x. Either may be null.
///
/// Shapes  partials: [num_row_parts (channel_norm_kernels.h), 1, channels]
struct ChannelScaleBackward {
  ValueType type;
  std::size_t num_rows;
  std::uint32_t channels;
  const void* x;
  const float* scale;
  const void* dy;
  float* partials;
  void* dx;  // may be dy
  float* dscale;
};
DeviceStatus channel_scale_backward(const ChannelScaleBackward& args, Stream stream);

/// Copies `channels` channels of each row: concat, one input at a time, and its way back.
struct CopyChannels {
  ValueType type;
  std::size_t num_rows;
  std::uint32_t channels;
  const void* from;
  std::uint32_t from_stride;  // channels of a row there
  std::uint32_t from_first;   // the first channel that is copied
  void* to;
  std::uint32_t to_stride;
  std::uint32_t to_first;
};
DeviceStatus copy_channels(const CopyChannels& args, Stream stream);

/// to[n][c * places + p] = from[n][p * channels + c]: flatten in the order channel, row, column. `is_back` the
/// other way.
struct FlattenValues {
  ValueType type;
  std::size_t samples;
  std::size_t places;
  std::uint32_t channels;
  bool is_back;
  const void* from;
  void* to;
};
DeviceStatus flatten_values(const FlattenValues& args, Stream stream);

/// Converts between the types.
struct ConvertValues {
  std::size_t count;
  ValueType from_type;
  const void* from;
  ValueType to_type;
  void* to;
};
DeviceStatus convert_values(const ConvertValues& args, Stream stream);

}  // namespace penstock::train::cuda
