// Vector kernels of batch norm, ReLU and max-pool over windows that overlap, in one pass over an NHWC tensor,
// as in the stems of ResNet and DenseNet. Types and threads as in nhwc_kernels.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "train/backend/onednn/nhwc_pool_kernels.h"

namespace penstock::train::onednn {

/// An NHWC tensor under 3 x 3 windows at step 2, with a padding of 1: window (r, c) has its middle at place
/// (2r, 2c).
struct OverlappingSizes {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 0;

  std::size_t pooled_height() const { return (height + 1) / 2; }
  std::size_t pooled_width() const { return (width + 1) / 2; }
  std::size_t row_values() const { return width * channels; }
  std::size_t sample_values() const { return height * row_values(); }
};

/// The place of a maximum that ReLU cuts off; others are 3 * row + column in the window.
inline constexpr std::uint8_t kCutOff = 9;

/// Writes y and, when not null, where in its window each came from (the first of equal ones).
void overlapping_forward(const OverlappingSizes& sizes, PooledRows rows, ChannelAffine affine,
                         const float* x, float* y, std::uint8_t* places);
void overlapping_forward(const OverlappingSizes& sizes, PooledRows rows, ChannelAffine affine,
                         const Bfloat16* x, Bfloat16* y, std::uint8_t* places);

/// Adds to sum_g[c] and sum_gx[c] the sums of g and of g * (x - mean[c]) over the maxima that ReLU passes,
/// where g is dy.
void add_overlapping_sums(const OverlappingSizes& sizes, PooledRows rows, const float* mean,
                          const float* x, const std::uint8_t* places, const float* dy,
                          double* sum_g, double* sum_gx);
void add_overlapping_sums(const OverlappingSizes& sizes, PooledRows rows, const float* mean,
                          const Bfloat16* x, const std::uint8_t* places, const Bfloat16* dy,
                          double* sum_g, double* sum_gx);

/// Writes dx of the rows in the middle of the pooled rows' windows and of those below them. dx may be x.
void overlapping_backward(const OverlappingSizes& sizes, PooledRows rows,
                          const ChannelBackward& constants, const float* x,
                          const std::uint8_t* places, const float* dy, float* dx);
void overlapping_backward(const OverlappingSizes& sizes, PooledRows rows,
                          const ChannelBackward& constants, const Bfloat16* x,
                          const std::uint8_t* places, const Bfloat16* dy, Bfloat16* dx);

}  // namespace penstock::train::onednn
