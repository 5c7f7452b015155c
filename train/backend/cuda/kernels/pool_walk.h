// How pooling kernels walk: packs of channels over a tensor's rows, taps of a window, windows over a tap.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/cuda/kernels/packed_values.h"
#include "train/backend/cuda/kernels/pool_kernels.h"

namespace penstock::train::cuda {

inline constexpr unsigned kPoolThreads = 256;
/// On a multiprocessor at least: 64 registers a thread, so that nothing is spilled for more blocks.
inline constexpr unsigned kPoolBlocks = 4;

/// Rows of a tensor, one to each line of threads along x; a line walks over the row's packs.
struct PoolRows {
  std::size_t num_rows;  // of all samples
  std::uint32_t height;
  std::uint32_t width;
  std::uint32_t packs;  // of a place
};

inline LaunchShape pool_launch_shape(const PoolRows& rows) {
  unsigned line = 1;
  while (line < kPoolThreads && line < rows.width * rows.packs) line *= 2;
  const unsigned lines = kPoolThreads / line;
  return {.grid = {static_cast<unsigned>(num_blocks_for(rows.num_rows, lines))},
          .block = {line, lines}};
}

/// One pack of a place.
struct PoolPlace {
  std::size_t sample;
  std::uint32_t row;
  std::uint32_t col;
  std::uint32_t pack;
};

template <class Visit>
__device__ void for_each_place(const PoolRows& rows, const Visit& visit) {
  const std::size_t i = std::size_t{blockIdx.x} * blockDim.y + threadIdx.y;
  if (i >= rows.num_rows) return;
  const std::size_t sample = i / rows.height;
  const auto row = static_cast<std::uint32_t>(i % rows.height);
  for (std::uint32_t item = threadIdx.x; item < rows.width * rows.packs; item += blockDim.x) {
    const std::uint32_t col = item / rows.packs;
    visit(PoolPlace{sample, row, col, item - col * rows.packs});
  }
}

/// Places of one side that a window covers, or windows that cover a place.
struct PoolRange {
  std::uint32_t begin;
  std::uint32_t end;
};

/// Rows, or columns, of a window.
struct PoolSide {
  std::uint32_t in;
  std::uint32_t out;
  std::uint32_t kernel;
  std::uint32_t stride;
  std::uint32_t dilation;
  std::uint32_t pad;

  /// Taps of window `o` that lie within the input. Most windows have no dilation, and divisions are dear.
  __device__ PoolRange taps(std::uint32_t o) const {
    const std::uint32_t first = o * stride;  // in the padded input
    const std::uint32_t end = in + pad;
    if (dilation == 1) {
      const std::uint32_t last = end > first ? end - first : 0;
      return {pad > first ? pad - first : 0, last < kernel ? last : kernel};
    }
    const std::uint32_t begin_tap = pad > first ? (pad - first + dilation - 1) / dilation : 0;
    const std::uint32_t end_tap = end > first ? (end - first + dilation - 1) / dilation : 0;
    return {begin_tap, end_tap < kernel ? end_tap : kernel};
  }
  /// The input's place under a tap that taps() gave.
  __device__ std::uint32_t place(std::uint32_t o, std::uint32_t tap) const {
    return o * stride + tap * dilation - pad;
  }

  /// Windows that may have a tap on place `i`.
  __device__ PoolRange windows(std::uint32_t i) const {
    const std::uint32_t reach = i + pad;
    const std::uint32_t span = (kernel - 1) * dilation;
    const std::uint32_t end = reach / stride + 1;
    return {reach > span ? (reach - span + stride - 1) / stride : 0, end < out ? end : out};
  }
  /// Window o's tap on place `i`, of those that windows() gave; `kernel` where dilation leaves the place out.
  __device__ std::uint32_t tap(std::uint32_t i, std::uint32_t o) const {
    const std::uint32_t distance = i + pad - o * stride;
    if (dilation == 1) return distance;
    return distance % dilation == 0 ? distance / dilation : kernel;
  }
};

__host__ __device__ inline PoolSide row_side(const PoolShape& shape, const PoolWindow& window) {
  return {shape.in_height, shape.out_height,  window.kernel_height,
          window.stride_y, window.dilation_y, window.pad_top};
}
__host__ __device__ inline PoolSide col_side(const PoolShape& shape, const PoolWindow& window) {
  return {shape.in_width,  shape.out_width,   window.kernel_width,
          window.stride_x, window.dilation_x, window.pad_left};
}

template <unsigned kValues>
PoolRows output_rows(const PoolShape& shape) {
  return {shape.samples * shape.out_height, shape.out_height, shape.out_width,
          shape.channels / kValues};
}
template <unsigned kValues>
PoolRows input_rows(const PoolShape& shape) {
  return {shape.samples * shape.in_height, shape.in_height, shape.in_width,
          shape.channels / kValues};
}

/// Index of the first channel of a place.
__device__ inline std::size_t input_index(const PoolShape& shape, std::size_t sample,
                                          std::uint32_t row, std::uint32_t col) {
  return ((sample * shape.in_height + row) * shape.in_width + col) * shape.channels;
}
__device__ inline std::size_t output_index(const PoolShape& shape, std::size_t sample,
                                           std::uint32_t row, std::uint32_t col) {
  return ((sample * shape.out_height + row) * shape.out_width + col) * shape.channels;
}

/// Of maxima the first wins, and what is not a number over numbers.
__device__ inline bool beats(float value, float best) {
  return value > best || (value != value && best == best);
}

/// Calls use.operator()<T, kValues>(): 16 bytes at once, or one value where channels or pointers do not allow more.
template <class Use>
DeviceStatus with_pool_packs(ValueType type, std::uint32_t channels,
                             std::initializer_list<const void*> pointers, const Use& use) {
  return with_value_type(type, [&]<class T>(T) {
    if (has_whole_vectors<T>(channels) && are_vector_aligned(pointers)) {
      return use.template operator()<T, kVectorValues<T>>();
    }
    return use.template operator()<T, 1u>();
  });
}

}  // namespace penstock::train::cuda
