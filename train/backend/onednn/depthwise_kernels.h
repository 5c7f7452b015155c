// Vector kernel of the weight gradient of convolutions with one filter for each channel. For windows of 5 and
// more, and for small maps, oneDNN has a general one alone, which pads every channel to a group of 16 x 16:
// measured up to 1,000 times slower, in weights 256 times as large. Types and threads as in nhwc_kernels.h.
#pragma once

#include <cstddef>

#include "train/backend/bfloat16.h"
#include "train/graph/tensor_shape.h"

namespace penstock::train::onednn {

struct DepthwiseSizes {
  std::size_t batch = 1;
  TensorShape input{};
  TensorShape output{};  // as many channels
  Window window{};
};

/// Runs of channels that are summed each for itself: the sums depend on no other run.
std::size_t num_channel_runs(const DepthwiseSizes& sizes);

/// Sets the gradients of one run of channels.
///
/// Shapes   dweight: [kernel rows, kernel cols, channels], dbias: [channels] or null
void depthwise_weight_gradient(const DepthwiseSizes& sizes, std::size_t run, const float* x,
                               const float* dy, float* dweight, float* dbias);
void depthwise_weight_gradient(const DepthwiseSizes& sizes, std::size_t run, const Bfloat16* x,
                               const Bfloat16* dy, float* dweight, float* dbias);

}  // namespace penstock::train::onednn
