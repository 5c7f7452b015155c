// Vector kernels of batch norm and ReLU over rows of channels: x is [rows, channels], a run of the
// NHWC tensor's places. One instruction set of several is chosen at run time. No threads in here.
#pragma once

#include <cstddef>

namespace penstock::train::onednn {

enum class Activation : bool { kNone, kRelu };

/// A run of places; channels values each.
struct Rows {
  std::size_t num_rows = 0;
  std::size_t channels = 0;
};

/// Per-channel constants of the forward pass: y = x * gain + offset.
struct ChannelAffine {
  const float* gain;
  const float* offset;
};

/// Per-channel constants of the backward pass: dx = gain * g + slope * x + level, where g is dy
/// where the activation let the value through.
struct ChannelBackward {
  ChannelAffine forward;
  const float* slope;
  const float* level;
};

/// Adds to sum[c] and squares[c] the sums of x - origin[c] and of its square.
/// Float within a tile of rows, double over tiles: the result depends on the rows alone.
void add_moments(Rows rows, const float* x, const float* origin, double* sum, double* squares);

void affine_forward(Rows rows, Activation activation, ChannelAffine affine, const float* x,
                    float* y);

/// Adds to sum_g[c] and sum_gx[c] the sums of g and of g * (x - mean[c]).
void add_backward_sums(Rows rows, Activation activation, ChannelAffine affine, const float* mean,
                       const float* x, const float* dy, double* sum_g, double* sum_gx);

/// dx may be x or dy.
void affine_backward(Rows rows, Activation activation, const ChannelBackward& constants,
                     const float* x, const float* dy, float* dx);

/// ReLU alone, count values; y may be x, dx may be dy. `y` decides: the slope at 0 is 0.
void relu_forward(std::size_t count, const float* x, float* y);
void relu_backward(std::size_t count, const float* y, const float* dy, float* dx);

}  // namespace penstock::train::onednn
