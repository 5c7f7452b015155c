// Vector kernels of batch norm, ReLU, sums and means over rows of channels: x is [rows, channels], a run of
// the NHWC tensor's places. One instruction set of several is chosen at run time. No threads in here.
//
// T is what values are kept in, float or Bfloat16: arithmetic is in float, and rounded when it is stored.
#pragma once

#include <cstddef>
#include <optional>

#include "train/backend/bfloat16.h"
#include "train/graph/operations.h"

namespace penstock::train::onednn {

/// What values go through in the same pass, if anything.
using Activation = std::optional<ActivationOp>;

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
/// times the activation's slope there.
struct ChannelBackward {
  ChannelAffine forward;
  const float* slope;
  const float* level;
};

/// Adds to sum[c] and squares[c] the sums of x - origin[c] and of its square. Float within a tile of rows,
/// about a mean of some of them, double over tiles: the result depends on the rows alone, and hardly on the
/// origin.
template <class T>
void add_moments(Rows rows, const T* x, const T* origin, double* sum, double* squares);

template <class T>
void affine_forward(Rows rows, const Activation& activation, ChannelAffine affine, const T* x,
                    T* y);

/// Adds to sum_g[c] and sum_gx[c] the sums of g and of g * (x - mean[c]).
template <class T>
void add_backward_sums(Rows rows, const Activation& activation, ChannelAffine affine,
                       const float* mean, const T* x, const T* dy, double* sum_g, double* sum_gx);

/// dx may be x or dy.
template <class T>
void affine_backward(Rows rows, const Activation& activation, const ChannelBackward& constants,
                     const T* x, const T* dy, T* dx);

/// ReLU alone, count values; y may be x, dx may be dy. `y` decides: the slope at 0 is 0.
template <class T>
void relu_forward(std::size_t count, const T* x, T* y);
template <class T>
void relu_backward(std::size_t count, const T* y, const T* dy, T* dx);

/// count values; sum may be a or b.
template <class T>
void add_values(std::size_t count, const T* a, const T* b, T* sum);

/// Means over the rows, and the gradient of that: each row gets its share of dmean.
template <class T>
void mean_forward(Rows rows, const T* x, T* mean);
template <class T>
void mean_backward(Rows rows, const T* dmean, T* dx);

}  // namespace penstock::train::onednn
