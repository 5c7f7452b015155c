// Vector kernels of batch norm, ReLU and 2 x 2 max-pool in one pass over an NHWC tensor: the
// normalized tensor itself is never written. Types and threads as in nhwc_kernels.h.
#pragma once

#include <cstddef>

#include "train/backend/onednn/nhwc_kernels.h"

namespace penstock::train::onednn {

/// An NHWC tensor under 2 x 2 windows at step 2; an odd last row or column lies in no window.
struct PooledSizes {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 0;

  std::size_t pooled_height() const { return height / 2; }
  std::size_t pooled_width() const { return width / 2; }
  std::size_t sample_values() const { return height * width * channels; }
};

/// Pooled rows [begin, end), counted over all samples, are those to work on.
struct PooledRows {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Writes y, the pooled output, and, when not null, x_at_max, the x that each y came from (the
/// first of equal ones).
void pooled_forward(const PooledSizes& sizes, PooledRows rows, ChannelAffine affine, const float* x,
                    float* y, float* x_at_max);
void pooled_forward(const PooledSizes& sizes, PooledRows rows, ChannelAffine affine,
                    const Bfloat16* x, Bfloat16* y, Bfloat16* x_at_max);

/// Writes dx for the pooled rows, and for an odd last row with the sample's last pooled row. dx
/// may be x.
void pooled_backward(const PooledSizes& sizes, PooledRows rows, const ChannelBackward& constants,
                     const float* x, const float* dy, float* dx);
void pooled_backward(const PooledSizes& sizes, PooledRows rows, const ChannelBackward& constants,
                     const Bfloat16* x, const Bfloat16* dy, Bfloat16* dx);

}  // namespace penstock::train::onednn
