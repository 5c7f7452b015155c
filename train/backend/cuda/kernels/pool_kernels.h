// Pooling over NHWC values: windows, and adaptive windows of which global pooling is one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/device_status.h"
#include "train/backend/cuda/kernels/value_type.h"

namespace penstock::train::cuda {

/// Sizes in rows and columns; values are [samples, height, width, channels].
struct PoolShape {
  std::size_t samples;
  std::uint32_t channels;
  std::uint32_t in_height;
  std::uint32_t in_width;
  std::uint32_t out_height;
  std::uint32_t out_width;
};

struct PoolWindow {
  std::uint32_t kernel_height;
  std::uint32_t kernel_width;
  std::uint32_t stride_y;
  std::uint32_t stride_x;
  std::uint32_t dilation_y;
  std::uint32_t dilation_x;
  std::uint32_t pad_top;
  std::uint32_t pad_left;
  bool counts_padding;  // averages: PoolOp::counts_padding
};

/// The first place of the largest value wins, as in the reference; it stands as a byte for each output value, row
/// times kernel width plus column of the window, so a window has at most 256 places. A NaN wins over numbers.
struct MaxPoolForward {
  ValueType type;
  PoolShape shape;
  PoolWindow window;
  const void* x;
  void* y;
  std::uint8_t* places;  // of y's shape, or null: evaluation
};
DeviceStatus max_pool_forward(const MaxPoolForward& args, Stream stream);

struct MaxPoolBackward {
  ValueType type;
  PoolShape shape;
  PoolWindow window;
  const std::uint8_t* places;
  const void* dy;
  void* dx;
};
DeviceStatus max_pool_backward(const MaxPoolBackward& args, Stream stream);

struct AveragePool {
  ValueType type;
  PoolShape shape;
  PoolWindow window;
  const void* from;  // x forward, dy going back
  void* to;          // y forward, dx going back
};
DeviceStatus average_pool_forward(const AveragePool& args, Stream stream);
DeviceStatus average_pool_backward(const AveragePool& args, Stream stream);

/// Windows from floor(i * in / out) to ceil((i + 1) * in / out). Of maxima, `x` says going back where they are.
struct AdaptivePool {
  ValueType type;
  PoolShape shape;
  bool is_max;
  const void* x;
  void* y;
};
DeviceStatus adaptive_pool_forward(const AdaptivePool& args, Stream stream);

struct AdaptivePoolBackward {
  ValueType type;
  PoolShape shape;
  bool is_max;
  const void* x;  // maxima only
  const void* dy;
  void* dx;
};
DeviceStatus adaptive_pool_backward(const AdaptivePoolBackward& args, Stream stream);

}  // namespace penstock::train::cuda
